"""Read JSON Lines: one JSON object a line, plain, gzip or a Parquet file's rows (its first bytes tell which)."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from models_service.formats import parquet
from models_service.formats.files import MOST_PARQUET_BYTES, FormatError
from models_service.sealed import files


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line's number, from 1, and its object; empty lines are passed over.

    Raises:
        FormatError: the file is unreadable, or a line is not a JSON object; the message names the line.
    """
    if not path.is_file():
        raise FormatError(f"{path} is not a file: check the path")
    number = 0
    try:
        with files.open_read(path) as file:
            head = file.read(len(parquet.MAGIC))
            file.seek(0)
            for number, line in enumerate(_lines(file, head), 1):
                if not line.strip():
                    continue
                found = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                if not isinstance(found, dict):
                    raise FormatError(f'{path}, line {number}: expected a JSON object, such as {{"text": "…"}}')
                yield number, found
    except parquet.BadParquet as error:
        raise FormatError(f"{path} is a Parquet file that cannot be read: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{path} cannot be read after line {number}: {error}") from error
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}, line {number}: not UTF-8 JSON ({error})") from error


def _lines(file: BinaryIO, head: bytes) -> Iterable[bytes]:
    if head == parquet.MAGIC:
        return parquet.lines_of(file.read(), MOST_PARQUET_BYTES).split(b"\n")
    return gzip.GzipFile(fileobj=file) if head.startswith(b"\x1f\x8b") else file
