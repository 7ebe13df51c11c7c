"""What the accounts' tests share: browsers, a program's client, and something that is alice's own."""

from __future__ import annotations

from tests.chat.conftest import connect  # noqa: F401
from tests.pages.conftest import (  # noqa: F401
    admins_browser,
    alices_browser,
    bobs_browser,
    collection,
    document,
    guest_browser,
)
