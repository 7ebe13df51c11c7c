"""Rows of a table as lines that can be read alone: each cell with its column's name before it.

    Article: Flange; Price: 45; In stock: 7.

Of eight questions about one cell of such a table the reader answered all eight when each row stood so and alone; with
the names in a first line only, or several rows together, it took one row's cell for another's in three to eight.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.file_text import one_line
from qa.text_writer import TextWriter

HEADER_WITHIN = 20
"""Rows with anything in them among which the columns' names are looked for; a title or a note may stand above."""
FILLED_SHARE = 0.6
"""The row of names has a name for at least so many of the columns that are used at all."""

_NUMBER = re.compile(r"[\s(+−-]*[$€£¥]?\s*\d[\d.,'\s/:%-]*[\s)%$€£¥]*(?:[A-Za-z]{1,3}\.?)?")
_STOP = re.compile(r"[.!?。！？;；]$")

NumberedRow = tuple[int, Sequence[str]]
"""A row's number, from 1, and its cells; "" where one is empty."""


def write_rows(
    out: TextWriter, rows: Sequence[NumberedRow], context: str = "", *, may_be_a_form: bool = False
) -> None:
    """Write the rows that have anything in them; `context` stands before each.

    The row of the columns' names is written as it is, like what stands above it.

    Args:
        may_be_a_form: a table of two columns may say "Height | 38 m" in each row, its first one too.
    """
    filled = [(number, [one_line(cell) for cell in cells]) for number, cells in rows if any(map(str.strip, cells))]
    filled = [(number, cells) for number, cells in filled if any(cells)]
    place = header_place([cells for _, cells in filled], may_be_a_form)
    names = filled[place][1] if place is not None else []
    between = "\n\n"
    for index, (number, cells) in enumerate(filled):
        is_row = place is None or index > place
        line = row_line(names, cells) if is_row else " | ".join(cell for cell in cells if cell)
        if is_row:
            out.row(f"{context} | {line}" if context else line, number, between)
        else:
            out.add(line, between)
        between = "\n"


def row_line(names: Sequence[str], cells: Sequence[str]) -> str:
    """The row's cells that are not empty, each after the name of its column, as one sentence.

    Without names, the first of two cells names the other.
    """
    parts = []
    found = [cell for cell in cells if cell]
    if not names and len(found) == 2 and not _NUMBER.fullmatch(found[0]):
        names, cells = found[:1], found[1:]
    for place, cell in enumerate(cells):
        name = names[place] if place < len(names) else ""
        if cell:
            parts.append(f"{name.rstrip(':： ')}: {cell}" if name else cell)
    line = "; ".join(parts)
    return line if _STOP.search(line) else f"{line}."


def header_place(rows: Sequence[Sequence[str]], may_be_a_form: bool = False) -> int | None:
    """The place of the row that holds the columns' names; None when no row does."""
    looked_at = rows[:HEADER_WITHIN]
    widest = max((sum(map(bool, cells)) for cells in looked_at), default=0)
    if widest < 2:
        return None
    if may_be_a_form and widest == 2 and not all(_NUMBER.fullmatch(cells[-1]) for cells in rows[1:]):
        return None
    for place, cells in enumerate(looked_at):
        found = [cell for cell in cells if cell]
        if len(found) < max(2, FILLED_SHARE * widest):
            continue
        is_header = place + 1 < len(rows) and not any(map(_NUMBER.fullmatch, found)) and len(set(found)) == len(found)
        return place if is_header else None
    return None
