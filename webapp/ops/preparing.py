"""What has to be there before a site's processes start: tables, help pages, the first administrator's link."""

from __future__ import annotations

from django.core.management import call_command


def prepare() -> str:
    """Make or change the tables, bring in the help pages; the token of the first administrator's link, if any."""
    from webapp.accounts.services import setup_token
    from webapp.knowledge.starter_collections import bring_up_to_date

    call_command("migrate", verbosity=0, interactive=False)
    bring_up_to_date()
    return setup_token()
