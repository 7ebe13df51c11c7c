"""Read texts with their summaries: JSON Lines with `text` and `summaries` (a list) or `summary`; plain or gzip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models_service.formats.files import FormatError
from models_service.formats.json_lines import read_json_lines


@dataclass(frozen=True)
class Summarized:
    """`summaries` are the references, one at least, by different people where there are several."""

    id: str
    text: str
    summaries: tuple[str, ...]


def read_summaries(path: Path) -> list[Summarized]:
    """Raises FormatError: also when a line lacks its text or has no summary."""
    rows = []
    for number, line in read_json_lines(path):
        given = line.get("summaries", line.get("summary"))
        summaries = [given] if isinstance(given, str) else given
        text = line.get("text")
        if not isinstance(text, str) or not text.strip():
            raise FormatError(f'{path}, line {number}: "text" must be a text that is not empty')
        if not isinstance(summaries, list) or not summaries or not all(
            isinstance(one, str) and one.strip() for one in summaries
        ):
            raise FormatError(f'{path}, line {number}: "summaries" must be a list of texts that are not empty')
        rows.append(Summarized(str(line.get("id", number)), text, tuple(summaries)))
    if not rows:
        raise FormatError(f"{path}: no line in it")
    return rows
