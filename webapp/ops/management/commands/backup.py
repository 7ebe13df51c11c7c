"""`manage.py backup FILE`: the whole site in one file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webapp.backup import making
from webapp.errors import SiteError
from webapp.ops.command_line import SiteCommand, show_progress


class Command(SiteCommand):
    help = (
        "Write the whole site into one file: database, documents, indexes, translated files, data sets, jobs and "
        "registered models. The site may run meanwhile. The keys of WENDA_ENCRYPTION_KEY and the secret key are not "
        "in it."
    )
    expected_errors = (SiteError,)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a new file whose name ends in .tar or .tar.gz")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(making.make(options["file"], show_progress))

    def lines(self, result: dict[str, Any]) -> list[str]:
        return [f"{result['file']}: {result['files']} files, {result['size'] / 1_000_000:.1f} MB. "
                "`manage.py restore` restores it into an empty data folder."]
