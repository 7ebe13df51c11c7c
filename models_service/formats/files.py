"""Data files as they lie on disk: UTF-8, gzip or plain, encrypted or not; the first bytes tell, not the name.

Of a Parquet file the rows are read as JSON Lines.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from models_service.formats import parquet
from models_service.sealed import files

MOST_PARQUET_BYTES = 1_000_000_000
"""Of a Parquet file's rows, of one that is given to a command."""


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
        if raw.startswith(parquet.MAGIC):
            raw = parquet.lines_of(raw, MOST_PARQUET_BYTES)
        return raw.decode("utf-8-sig")
    except parquet.BadParquet as error:
        raise FormatError(f"{path} is a Parquet file that cannot be read: {error}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not UTF-8 {what} (gzip allowed): {error}") from error


def read_json(path: Path) -> object:
    """Raises FormatError."""
    try:
        return json.loads(read_text(path, "JSON"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 JSON (gzip allowed): {error}") from error
