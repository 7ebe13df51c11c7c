"""Data files as they lie on disk: UTF-8, gzip or plain, encrypted or not; the first bytes tell, not the name."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from sealed import files


class FormatError(ValueError):
    """The file is not what its reader expects; the message says where and what to do."""


def read_text(path: Path, what: str) -> str:
    """The file's text. `what` names the expected format. Raises FormatError."""
    if not path.is_file():
        raise FormatError(f"{path} is not a file: check the path")
    try:
        raw = files.read_bytes(path)
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
