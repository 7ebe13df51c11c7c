"""The face that this project's commands share: `--json` or a readable table, errors as one clear line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

WRONG_USE = 2
FAILED = 1


class SiteCommand(BaseCommand):
    """A command that prints a result. Subclasses say what it is in `result`, and how a person reads it in `lines`."""

    requires_system_checks: Sequence[str] = ()
    expected_errors: tuple[type[Exception], ...] = ()
    """Raised by the services that the command calls, with a sentence for a person."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_own_arguments(parser)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Options beside --json."""

    def result(self, options: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def lines(self, result: Any) -> list[str]:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.result(options)
        except (*self.expected_errors, OSError) as error:
            raise CommandError(str(error), returncode=FAILED) from None
        text = json.dumps(result, ensure_ascii=False) if options["json"] else "\n".join(self.lines(result))
        self.stdout.write(text)


def wrong_use(sentence: str) -> CommandError:
    """The error for options that do not fit together or name what is not there."""
    return CommandError(sentence, returncode=WRONG_USE)


def show_progress(done: int, of: int) -> None:
    """A counter on standard error when a person watches, so that --json prints its object alone."""
    if sys.stderr.isatty():
        print(f"\r{done}/{of}", end="\n" if done == of else "", file=sys.stderr, flush=True)


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows as lines with aligned columns."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))] if texts else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts]
