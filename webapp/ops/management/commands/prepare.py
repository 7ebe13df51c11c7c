"""`manage.py prepare`: once before the processes of a site are started one by one, and at each new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from webapp.ops import embedded_redis
from webapp.ops.command_line import SiteCommand, wrong_use
from webapp.ops.preparing import prepare
from webapp.settings.table import check_all, read


class Command(SiteCommand):
    help = "Make the tables, bring in the help pages, show the link for the first administrator. Harmless twice."

    def result(self, options: Mapping[str, Any]) -> dict[str, str]:
        if problems := check_all():
            raise wrong_use("\n".join(problems))
        if not embedded_redis.answers(settings.REDIS_URL):
            raise wrong_use(f"No Redis answers at {settings.REDIS_URL}, where the reading of the help pages is to be "
                            "queued. Start it, or set REDIS_URL.")
        token = prepare()
        origins = read("WENDA_TRUSTED_ORIGINS") or [f"http://{read('WENDA_HOST')}:{read('WENDA_PORT')}"]
        return {"setup": f"{origins[0]}/setup/{token}/" if token else ""}

    def lines(self, result: dict[str, str]) -> list[str]:
        link = result["setup"]
        admin = [f"Make the first administrator account, once, at {link}"] if link else []
        return ["The site is prepared.", *admin]
