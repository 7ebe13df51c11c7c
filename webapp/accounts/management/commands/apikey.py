"""`manage.py apikey USERNAME --name NAME`: make an API key and show it this once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from webapp.accounts.models import Role, User
from webapp.accounts.services import create_api_key
from webapp.errors import SiteError
from webapp.ops.command_line import SiteCommand, wrong_use


class Command(SiteCommand):
    help = "Make an API key for a user. The key is shown this once."
    expected_errors = (SiteError,)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what the key is for")

    def result(self, options: Mapping[str, Any]) -> dict[str, str]:
        user = User.objects.filter(username=options["username"]).exclude(role=Role.GUEST).first()
        if user is None:
            raise wrong_use(f"There is no user {options['username']!r}. Sign up on the site first.")
        row, key = create_api_key(user, options["name"])
        return {"user": user.username, "name": row.name, "key": key}

    def lines(self, result: dict[str, str]) -> list[str]:
        return [result["key"]]
