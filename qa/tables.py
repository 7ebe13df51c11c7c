"""Tables in a document's text, as rows of named cells with their places. Knows no questions.

Two forms are read: Markdown's (`| a | b |` under a header and a rule of dashes), and a line a row with each column's
name before its value (`Article: Flange; Price: 45.`), as spreadsheets are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FEWEST_ROWS = 2
_AROUND = " \t*`"
_Cell = tuple[str, tuple[int, int]]
"""What a cell says, and where."""
MOST_ROWS = 20_000
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_NAMED = re.compile(r"(?:^|;\s)\s*(?P<name>[^:;|]{1,60}): (?P<value>(?:[^;]|;(?! [^:;|]{1,60}: ))*)")


@dataclass(frozen=True)
class Row:
    """Characters `start` to `end` of the document; the cells, and where they stand in it, by their column's name."""

    start: int
    end: int
    cells: dict[str, str]
    places: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Table:
    """`columns` in order; the first one most often names what a row is about. `above` is the text before it."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    above: str

    def names(self) -> list[str]:
        """What each row is about."""
        return [row.cells.get(self.columns[0], "") for row in self.rows]


def tables(text: str) -> list[Table]:
    """All tables of at least FEWEST_ROWS rows, in order."""
    lines = list(_lines(text))
    found = []
    at = 0
    while at < len(lines):
        table, after = _markdown(text, lines, at) or _named(text, lines, at) or (None, at + 1)
        if table is not None and len(table.rows) >= FEWEST_ROWS and len(table.columns) > 1:
            found.append(table)
        at = after
    return found


def may_hold_rows(text: str) -> bool:
    """Whether a piece of a document looks as if rows of a table stood in it; cheap."""
    return any("|" in line or (": " in line and "; " in line) for line in text.split("\n"))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for line in text.split("\n"):
        yield at, at + len(line)
        at += len(line) + 1


def _markdown(text: str, lines: list[tuple[int, int]], at: int) -> tuple[Table, int] | None:
    if at + 1 >= len(lines) or "|" not in text[slice(*lines[at])]:
        return None
    rule = text[slice(*lines[at + 1])]
    if "-" not in rule or not _RULE.fullmatch(rule):
        return None
    columns = _unique([name for name, _ in _cells(text, *lines[at])])
    rows = []
    end = at + 2
    while end < len(lines) and "|" in text[slice(*lines[end])] and len(rows) < MOST_ROWS:
        start, stop = lines[end]
        rows.append(_row(start, stop, dict(zip(columns, _cells(text, start, stop), strict=False))))
        end += 1
    return Table(columns, tuple(rows), _above(text, lines[at][0])), end


def _row(start: int, stop: int, cells: dict[str, _Cell]) -> Row:
    return Row(start, stop, {name: value for name, (value, _) in cells.items()},
               {name: place for name, (_, place) in cells.items()})


def _cells(text: str, start: int, stop: int) -> list[_Cell]:
    line = text[start:stop]
    inner = line.strip().removeprefix("|").removesuffix("|")
    at = start + line.index(inner)
    found = []
    for cell in re.split(r"(?<!\\)\|", inner):
        plain = cell.strip(_AROUND)
        begins = at + len(cell) - len(cell.lstrip(_AROUND)) if plain else at
        found.append((plain.replace("\\|", "|"), (begins, begins + len(plain))))
        at += len(cell) + 1
    return found


def _unique(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        plain = name or f"column {number}"
        seen[plain if plain not in seen else f"{plain} ({number})"] = None
    return tuple(seen)


def _named(text: str, lines: list[tuple[int, int]], at: int) -> tuple[Table, int] | None:
    """Lines one after another, blank ones between them or not, whose cells open with the same column's name."""
    rows: list[Row] = []
    columns: dict[str, None] = {}
    first = ""
    end = at
    while end < len(lines) and len(rows) < MOST_ROWS:
        start, stop = lines[end]
        if rows and start == stop:
            end += 1
            continue
        cells = _named_cells(text, start, stop)
        if len(cells) < 2 or (rows and next(iter(cells)) != first):
            break
        first = first or next(iter(cells))
        columns.update(dict.fromkeys(cells))
        rows.append(_row(start, stop, cells))
        end += 1
    return (Table(tuple(columns), tuple(rows), _above(text, lines[at][0])), end) if rows else None


def _named_cells(text: str, start: int, stop: int) -> dict[str, _Cell]:
    line = text[start:stop]
    if ": " not in line or "; " not in line:
        return {}
    found = {}
    for match in _NAMED.finditer(line):
        value = match["value"]
        plain = value.strip().rstrip(".").strip()
        begins = start + match.start("value") + len(value) - len(value.lstrip())
        found[match["name"].strip()] = (plain, (begins, begins + len(plain)))
    return found


def _above(text: str, start: int) -> str:
    """The line or two before the table: its caption or heading."""
    before = [line for line in text[max(0, start - 400) : start].split("\n") if line.strip()]
    return "\n".join(before[-1:] if before and before[-1].startswith("#") else before[-2:])
