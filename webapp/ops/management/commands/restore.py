"""`manage.py restore FILE`: a backup into an empty data folder."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapp.backup import restoring
from webapp.errors import SiteError
from webapp.ops.command_line import SiteCommand, show_progress


class Command(SiteCommand):
    help = (
        "Restore a backup into an empty data folder (WENDA_DATA_DIR). The archive is checked as a whole before "
        "anything is written. Then the database is migrated and the indexes are verified."
    )
    expected_errors = (SiteError,)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what `manage.py backup` wrote")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return restoring.restore(options["file"], show_progress).as_dict()

    def lines(self, result: dict[str, Any]) -> list[str]:
        settled = result["settled"]
        told = [f"The site of {result['made_at']} is restored: {result['files']} files, {settled['documents']} "
                f"documents, of which {settled['to_read']} are read in once the site runs. Start it: `manage.py up`. "
                "Everybody has to sign in anew."]
        if settled["without_file"]:
            told.append(f"{settled['without_file']} documents have no file in the backup; their pages say so.")
        for name in settled["damaged_indexes"]:
            told.append(f"The index of the collection “{name}” was damaged; its documents are read in anew.")
        if result["encryption"] != "ok":
            told.append(f"Not all can be opened: {result['encryption']}.")
        return told
