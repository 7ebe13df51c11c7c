"""Data files as they lie on disk: UTF-8, gzip or plain (told by the first bytes, not by the name), JSON or JSONL."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class FormatError(ValueError):
    """The file is not what its reader expects; the message says where and what to do."""


def read_text(path: Path, what: str) -> str:
    """The file's text. `what` names the expected format. Raises FormatError."""
    if not path.is_file():
        raise FormatError(f"{path} is not a file: check the path")
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        return raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not UTF-8 {what} (gzip allowed): {error}") from error


def read_json(path: Path) -> object:
    """Raises FormatError."""
    try:
        return json.loads(read_text(path, "JSON"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 JSON (gzip allowed): {error}") from error


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line that is not blank: its number, from 1, and its object. Raises FormatError."""
    # Not splitlines(): a text may hold line separators of Unicode, which JSON leaves as they are.
    for number, line in enumerate(read_text(path, "JSONL").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise FormatError(f"{path}, line {number}, is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise FormatError(f"{path}, line {number}: expected an object, as in {{\"en\": \"...\"}}")
        yield number, values
