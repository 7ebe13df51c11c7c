"""Read texts with a label each: rows with `text` and `label`, as JSON Lines, JSON, CSV or TSV; plain or gzip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_service.formats.files import FormatError
from models_service.formats.raw_rows import RawRow, rows_of, unpacked

LONGEST_LABEL = 100
"""Characters: more is a text that stands in the wrong column."""
MOST_LABELS = 1000
"""Different ones that a classifier learns: more are names or numbers of the rows."""


@dataclass(frozen=True)
class LabelledText:
    id: str
    text: str
    label: str


def read_labelled(path: Path) -> list[LabelledText]:
    """Raises FormatError, which names the row, the field and what to do."""
    return [LabelledText(str(values.get("id") or number), _text(path, number, values), _label(path, number, values))
            for number, values in read_objects(path)]


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row's number and its fields. Raises FormatError, also when there is no row."""
    found = False
    for raw in _rows(path):
        if isinstance(raw.values, Exception):
            raise FormatError(f"{path}, row {raw.number}: not JSON ({raw.values}); mend or remove the line")
        if not isinstance(raw.values, dict):
            raise FormatError(f'{path}, row {raw.number}: expected an object, such as {{"text": "…", "label": "…"}}')
        found = True
        yield raw.number, raw.values
    if not found:
        raise FormatError(f"{path}: no row in it")


def _rows(path: Path) -> Iterator[RawRow]:
    if not path.is_file():
        raise FormatError(f"{path} is not a file: check the path")
    try:
        yield from rows_of(unpacked(path).decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 ({error}); save it as UTF-8") from None


def _text(path: Path, number: int, values: dict[str, Any]) -> str:
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise FormatError(f'{path}, row {number}, "text": expected a text that is not empty; fill it in or remove '
                          "the row")
    return text


def _label(path: Path, number: int, values: dict[str, Any]) -> str:
    label = label_of(values.get("label"))
    if label is None:
        raise FormatError(f'{path}, row {number}, "label": expected a word or a whole number of up to '
                          f"{LONGEST_LABEL} characters; fill it in or remove the row")
    return label


def label_of(given: Any) -> str | None:
    """The label as a text, for some write numbers; None where it is none."""
    text = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return text if 0 < len(text) <= LONGEST_LABEL else None
