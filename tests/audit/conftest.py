"""What the audit log's tests share."""

from __future__ import annotations

from tests.pages.conftest import admins_browser, alices_browser, collection, document  # noqa: F401
