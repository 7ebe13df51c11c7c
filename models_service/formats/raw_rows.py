"""A data file's text as raw rows, whatever container it came in: SQuAD JSON, a JSON list, JSON Lines, CSV, Parquet.

What the rows hold is checked by `checking.py`; here a file is refused only when no row can be found in it.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_service.formats import parquet
from models_service.formats.files import FormatError
from models_service.sealed import files

LARGEST_BYTES = 200_000_000
"""Of a file unpacked: what a few hundred bytes of gzip may claim must not fill the memory."""
LARGEST_CELL = 4_000_000
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 16


class FileRefused(FormatError):
    """The file as a whole is of no use. `code` and `values` say why, for whoever tells it in another language."""

    def __init__(self, code: str, message: str, **values: Any) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class RawRow:
    """`number` is what a person finds it by: the line of JSONL, the row of CSV under its header, else the count."""

    number: int
    values: Any


def unpacked(path: Path) -> bytes:
    """The file's bytes, gunzipped when its first bytes say so; of a Parquet file its rows as JSON Lines.

    Raises:
        FileRefused
    """
    data = _unpacked(path)
    if not data.startswith(parquet.MAGIC):
        return data
    try:
        return _not_empty(parquet.lines_of(data, LARGEST_BYTES))
    except parquet.BadParquet as bad:
        if bad.code == "too_large":
            raise _too_large() from None
        raise FileRefused("bad_parquet", f"The Parquet file cannot be read: {bad}.", why=str(bad)) from None


def _unpacked(path: Path) -> bytes:
    with files.open_read(path) as file:
        if file.read(2) != _GZIP:
            file.seek(0)
            data = file.read(LARGEST_BYTES + 1)
            if len(data) > LARGEST_BYTES:
                raise _too_large()
            return _not_empty(data)
        file.seek(0)
        return _not_empty(_gunzip(file))


def _gunzip(file: Any) -> bytes:
    unpacker, parts, size = zlib.decompressobj(wbits=31), [], 0
    try:
        while chunk := file.read(_CHUNK):
            while chunk:
                part = unpacker.decompress(chunk, LARGEST_BYTES + 1 - size)
                parts.append(part)
                size += len(part)
                if size > LARGEST_BYTES:
                    raise _too_large()
                chunk = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:  # gzip files may stand one after another
                    chunk, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise FileRefused("bad_gzip", f"The gzip file is damaged ({error}).", why=str(error)) from None
    if not unpacker.eof:
        raise FileRefused("cut_gzip", "The gzip file ends too early: it was cut off while it was copied.")
    return b"".join(parts)


def _too_large() -> FileRefused:
    limit = LARGEST_BYTES // 1_000_000
    return FileRefused("too_large", f"Unpacked, the file is larger than {limit} MB. Split it.", limit=limit)


def _not_empty(data: bytes) -> bytes:
    if not data.strip():
        raise FileRefused("empty", "The file is empty.")
    return data


def rows_of(text: str, name: str) -> Iterator[RawRow]:
    """The rows of a file called `name`; its ending decides only between CSV and JSON. Raises FileRefused."""
    ending = Path(name.lower().removesuffix(".gz")).suffix
    if ending in (".csv", ".tsv"):
        yield from _csv(text, "\t" if ending == ".tsv" else None)
        return
    begin = text.lstrip("\ufeff \t\r\n")[:1]
    if begin not in "{[":
        raise FileRefused("unknown_format", "The file is neither JSON nor JSON Lines nor CSV (by its ending .csv).")
    try:
        whole = json.loads(text)
    except RecursionError:
        raise FileRefused("not_json", "The JSON is nested too deeply.", why="nested too deeply") from None
    except ValueError as problem:
        if begin == "{" and "\n" in text.strip():
            yield from _lines(text)
            return
        raise FileRefused("not_json", f"The file is not JSON: {problem}.", why=str(problem)) from None
    yield from _json(whole)


def _lines(text: str) -> Iterator[RawRow]:
    # Not splitlines(): a text may hold line separators of Unicode, which JSON leaves as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield RawRow(number, json.loads(line))
            except (ValueError, RecursionError) as problem:
                yield RawRow(number, problem)


def _json(whole: Any) -> Iterator[RawRow]:
    if isinstance(whole, list):
        yield from (RawRow(number, values) for number, values in enumerate(whole, start=1))
    elif isinstance(whole.get("data"), list) and _is_squad(whole["data"]):
        yield from _squad(whole["data"])
    elif isinstance(whole.get("data"), list):
        yield from (RawRow(number, values) for number, values in enumerate(whole["data"], start=1))
    else:
        yield RawRow(1, whole)


def _is_squad(articles: list[Any]) -> bool:
    return any(isinstance(article, dict) and "paragraphs" in article for article in articles)


def _squad(articles: list[Any]) -> Iterator[RawRow]:
    """One row a question, numbered through the file; what is no article or paragraph is a row that is no object."""
    number = 0
    for article in articles:
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        for paragraph in paragraphs if isinstance(paragraphs, list) else [None]:
            asked = paragraph.get("qas") if isinstance(paragraph, dict) else None
            for item in asked if isinstance(asked, list) else [None]:
                number += 1
                if not isinstance(item, dict):
                    yield RawRow(number, item)
                    continue
                yield RawRow(number, {**item, "context": paragraph.get("context"), "title": article.get("title", "")})


def _csv(text: str, delimiter: str | None) -> Iterator[RawRow]:
    csv.field_size_limit(LARGEST_CELL)
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    found = delimiter or max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=found)
    try:
        if not reader.fieldnames or len(reader.fieldnames) < 2:
            raise FileRefused("no_columns", "The first line of a CSV file names its columns, of which it needs two.")
        for number, values in enumerate(reader, start=1):
            values.pop(None, None)  # cells beyond the header's
            yield RawRow(number, {key.strip().lower(): value for key, value in values.items() if value is not None})
    except csv.Error as problem:
        raise FileRefused("bad_csv", f"The CSV file cannot be read: {problem}.", why=str(problem)) from None
