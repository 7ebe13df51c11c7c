"""`manage.py rotate_key`: encrypt all stored files with the first key of WENDA_ENCRYPTION_KEY."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from models_service.sealed.errors import BadKey
from webapp.errors import SiteError
from webapp.ops import rotating
from webapp.ops.command_line import FAILED, SiteCommand, show_progress

MOST_SHOWN = 20


class Command(SiteCommand):
    help = (
        "Encrypt all stored files with the first key of WENDA_ENCRYPTION_KEY: those that are plain, and those that "
        "have another key. The site may run. Ctrl-C loses nothing: begun again, it goes on where it was. Afterwards "
        "the other keys may be taken out of the setting."
    )
    expected_errors = (SiteError, BadKey)

    def handle(self, *args: Any, **options: Any) -> None:
        self._incomplete = False
        super().handle(*args, **options)
        if self._incomplete:
            sys.exit(FAILED)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        done = rotating.rotate(show_progress)
        self._incomplete = done.stopped or bool(done.failed)
        return done.as_dict()

    def lines(self, result: dict[str, Any]) -> list[str]:
        told = [f"{result['encrypted']} files were plain and are encrypted now, {result['encrypted_anew']} had "
                f"another key and have the key {result['key']} now, {result['had_it']} had it before."]
        if result["failed"]:
            told += [f"{len(result['failed'])} files cannot be opened and stay as they are:",
                     *result["failed"][:MOST_SHOWN]]
        if result["stopped"]:
            told.append("Stopped before the end. Run it again: it goes on where it was.")
        elif not result["failed"]:
            told.append("All files have this key. The others may be taken out of WENDA_ENCRYPTION_KEY.")
        return told
