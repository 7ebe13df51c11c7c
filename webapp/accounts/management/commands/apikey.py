"""`manage.py apikey USERNAME --name NAME`: make an API key and show it this once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from webapp.accounts.models import Role, Scope, User
from webapp.accounts.services import create_api_key
from webapp.errors import SiteError
from webapp.ops.command_line import SiteCommand, wrong_use


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
        ends = None if options["days"] is None else timezone.now() + timedelta(days=options["days"])
        row, key = create_api_key(user, options["name"], scopes=options["scope"], expires_at=ends)
        return {"user": user.username, "name": row.name, "key": key}

    def lines(self, result: dict[str, str]) -> list[str]:
        return [result["key"]]
