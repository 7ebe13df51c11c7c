"""Read JSON Lines: one JSON object a line, plain or gzip (told by its first bytes, not by its name)."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models_service.formats.files import FormatError
from sealed import files


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
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            for number, line in enumerate(gzip.GzipFile(fileobj=file) if zipped else file, 1):
                if not line.strip():
                    continue
                found = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                if not isinstance(found, dict):
                    raise FormatError(f'{path}, line {number}: expected a JSON object, such as {{"text": "…"}}')
                yield number, found
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{path} cannot be read after line {number}: {error}") from error
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}, line {number}: not UTF-8 JSON ({error})") from error
