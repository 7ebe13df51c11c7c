"""What the tests of data protection share."""

from __future__ import annotations

from tests.pages.conftest import alices_browser, bobs_browser, collection, document  # noqa: F401
