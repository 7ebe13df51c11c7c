"""Read parallel text: JSON Lines with a key a language, such as {"en": "Go.", "de": "Geh."}, plain or gzip."""

from __future__ import annotations

import re
from pathlib import Path

from models_service.formats.files import FormatError
from models_service.formats.json_lines import read_json_lines

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_NOT_LANGUAGES = frozenset(("id", "url", "ref", "src", "num"))


def is_language(key: str) -> bool:
    """Whether a row's key names a language rather than something else that is told of the row."""
    return key not in _NOT_LANGUAGES and _LANGUAGE.fullmatch(key) is not None


def read_parallel(path: Path) -> list[dict[str, str]]:
    """Each line's texts by language code; other keys are left out.

    Raises:
        FormatError: a line has fewer than two languages, or a language's value is no text.
    """
    rows = []
    for number, line in read_json_lines(path):
        texts = {code: text for code, text in line.items() if is_language(code)}
        for code, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise FormatError(f'{path}, line {number}: "{code}" must be a text that is not empty')
        if len(texts) < 2:
            raise FormatError(
                f"{path}, line {number}: expected a key for each of two languages, "
                'such as {"en": "Go.", "de": "Geh."}'
            )
        rows.append(texts)
    if not rows:
        raise FormatError(f"{path}: no line in it")
    return rows


def read_pairs(path: Path, source: str, target: str) -> list[tuple[str, str]]:
    """The (source, target) texts of every line that has both languages.

    Raises:
        FormatError: also when no line has both; the message names the languages that are there.
    """
    rows = read_parallel(path)
    pairs = [(row[source], row[target]) for row in rows if source in row and target in row]
    if not pairs:
        there = ", ".join(sorted({code for row in rows for code in row}))
        raise FormatError(f"{path}: no line has both {source} and {target}; its languages: {there}")
    return pairs
