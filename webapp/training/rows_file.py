"""The rows of a data set's version as they lie on disk: rows.jsonl, one a line, each with the side it is on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from models_service.sealed import files
from webapp.training import places
from webapp.training.models import DatasetVersion


def write(version_id: UUID, train: list[dict[str, Any]], held_out: list[dict[str, Any]]) -> None:
    with files.create_text(places.rows(version_id)) as file:
        for side, rows in (("train", train), ("held-out", held_out)):
            for row in rows:
                file.write(json.dumps({"side": side, **row}, ensure_ascii=False) + "\n")


def rows(version: DatasetVersion, search: str = "", side: str = "") -> Iterator[dict[str, Any]]:
    """The rows that hold `search` (in any of their texts, whatever the case), of one side or both."""
    wanted = search.casefold()
    with files.open_text(places.rows(version.pk)) as file:
        for line in file:
            row = json.loads(line)
            if side and row["side"] != side:
                continue
            if wanted and not any(wanted in text.casefold() for text in _texts(row)):
                continue
            yield row


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    else:
        yield str(value)
