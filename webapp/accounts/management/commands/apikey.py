"""`manage.py apikey USERNAME --name NAME`: make an API key and show it this once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from webapp.accounts.models import Role, Scope, User
from webapp.accounts.services import create_api_key
from webapp.errors import SiteError
from webapp.ops.command_line import SiteCommand, wrong_use

MOST_DAYS = 36_500


class Command(SiteCommand):
    help = "Make an API key for a user. The key is shown this once."
    expected_errors = (SiteError,)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--scope", action="append", choices=Scope.values,
                            help="what it may be used for, once for each; everything when not given")
        parser.add_argument("--days", type=int, help="after how many days it ends; never when not given")

    def result(self, options: Mapping[str, Any]) -> dict[str, str]:
        user = User.objects.filter(username=options["username"]).exclude(role=Role.GUEST).first()
        if user is None:
            raise wrong_use(f"There is no user {options['username']!r}. Sign up on the site first.")
        row, key = create_api_key(user, options["name"], scopes=options["scope"], expires_at=_end(options["days"]))
        return {"user": user.username, "name": row.name, "key": key}

    def lines(self, result: dict[str, str]) -> list[str]:
        return [result["key"]]


def _end(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= MOST_DAYS:
        raise wrong_use(f"--days must be from 1 to {MOST_DAYS:,}; leave it out for a key that does not end.")
    return timezone.now() + timedelta(days=days)
