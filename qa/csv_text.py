"""CSV and TSV files to text: a line a record, with the columns' names, whatever the encoding and the delimiter."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from qa.encodings import decode
from qa.file_text import FileText, normalise
from qa.table_rows import write_rows
from qa.text_writer import TextWriter
from qa.unreadable import Unreadable

DELIMITERS = ",;\t|"
_SAMPLE_RECORDS = 100
_SAMPLE_CHARACTERS = 100_000
_LONGEST_CELL = 1_000_000


def read_csv(data: bytes) -> FileText:
    """Raises NotText; Unreadable when a quotation mark that is never closed makes one endless cell."""
    text = normalise(decode(data))
    csv.field_size_limit(_LONGEST_CELL)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise Unreadable("damaged", f"it is no table of cells ({error}). Save it anew as CSV.") from error
    out = TextWriter()
    write_rows(out, list(enumerate(records, start=1)))
    return out.result()


def _delimiter(text: str) -> str:
    """The one by which most of the first records have the same number of cells, and more than one."""
    lines = text[:_SAMPLE_CHARACTERS].split("\n")[:_SAMPLE_RECORDS]
    return max(DELIMITERS, key=lambda delimiter: _agreement(lines, delimiter))


def _agreement(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    try:
        widths = Counter(len(record) for record in csv.reader(lines, delimiter=delimiter) if record)
    except csv.Error:
        return 0, 0
    width, count = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(1, 0))
    return (count, width) if width > 1 else (0, 0)
