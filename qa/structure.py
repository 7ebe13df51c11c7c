"""What stands where in a document's text: its pages, headings and rows of tables. Kept beside the stored text."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

MOST_HEADINGS = 5_000
MAX_HEADING_CHARACTERS = 200

_MARKDOWN_HEADING = re.compile(r"(?m)^ {0,3}(#{1,6})[ \t]+(\S[^\n]{0,400})$")
_FENCE = re.compile(r"(?m)^ {0,3}(?:```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`]+|(?<!\w)_|_(?!\w)|\s#+\s*$")


@dataclass(frozen=True)
class Heading:
    """`start` is where its line begins in the text; level 1 is the highest."""

    start: int
    level: int
    title: str


class Row(NamedTuple):
    """A row of a table: a line of the text, characters `start` to `end`, each cell with its column's name before it.

    `number` is the one that a spreadsheet shows beside it, from 1; 0 in a format that numbers no rows.
    """

    start: int
    end: int
    number: int = 0


PageKind = Literal["page", "slide"]


@dataclass(frozen=True)
class Structure:
    """`pages[n - 1]` is where page n begins; empty where the format has no pages. All in the text's order.

    In a spreadsheet each sheet is a heading and each line under it one of the `rows`. `recognised` are the numbers
    of the pages, from 1, whose text was recognised in a picture, and `unread` those of pictures that were left out.
    """

    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()
    rows: tuple[Row, ...] = ()
    page_kind: PageKind = "page"
    recognised: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()

    def page_at(self, position: int) -> int | None:
        """The number of the page, from 1, on which the character at `position` stands; None without pages."""
        return bisect_right(self.pages, position) or None if self.pages else None

    def is_recognised(self, start: int, end: int) -> bool:
        """Whether characters `start` to `end` are, or begin or end, on a page that was recognised in a picture."""
        first, last = (bisect_right(self.pages, position) for position in (start, max(start, end - 1)))
        return any(first <= page <= last for page in self.recognised)

    def section_at(self, position: int) -> str:
        """The title of the last heading at or before `position`; "" when there is none."""
        place = bisect_right([heading.start for heading in self.headings], position)
        return self.headings[place - 1].title if place else ""

    def row_at(self, position: int) -> int | None:
        """The number of the row in which the character at `position` stands; None outside of numbered rows."""
        place = bisect_right(self.rows, position, key=lambda row: row.start) - 1
        return (self.rows[place].number or None) if place >= 0 and position < self.rows[place].end else None

    def to_json(self) -> str:
        headings = [[heading.start, heading.level, heading.title] for heading in self.headings]
        values = {"pages": self.pages, "headings": headings, "rows": self.rows, "page_kind": self.page_kind,
                  "recognised": self.recognised, "unread": self.unread}
        return json.dumps(values, ensure_ascii=False)

    @staticmethod
    def from_json(written: str) -> Structure:
        """Rows, the kind of pages, and what was recognised are missing in what older releases wrote."""
        values = json.loads(written)
        return Structure(
            tuple(values["pages"]), tuple(Heading(*each) for each in values["headings"]),
            tuple(Row(*each) for each in values.get("rows", ())), values.get("page_kind", "page"),
            tuple(values.get("recognised", ())), tuple(values.get("unread", ())),
        )


NOTHING_KNOWN = Structure()


def markdown_structure(text: str) -> Structure:
    """The headings of a Markdown text, those in blocks of code left out."""
    fences = [match.start() for match in _FENCE.finditer(text)]
    found = []
    for match in _MARKDOWN_HEADING.finditer(text):
        title = " ".join(_MARKS.sub("", _LINK.sub(r"\1", match.group(2))).split())
        if title and bisect_right(fences, match.start()) % 2 == 0:
            found.append(Heading(match.start(), len(match.group(1)), title[:MAX_HEADING_CHARACTERS]))
            if len(found) == MOST_HEADINGS:
                break
    return Structure(headings=tuple(found))


def located(text: str, headings: Iterable[tuple[int, str]]) -> Structure:
    """Where these headings, given in order as (level, title), are lines of the text; one not found is left out."""
    found: list[Heading] = []
    at = 0
    for level, title in headings:
        place = _line(text, title, at) if title else -1
        if place < 0:
            continue
        found.append(Heading(place, level, title[:MAX_HEADING_CHARACTERS]))
        at = place + len(title)
        if len(found) == MOST_HEADINGS:
            break
    return Structure(headings=tuple(found))


_FURTHEST = 2_000_000
"""How far ahead a heading is looked for: one that is nowhere must not cost a reading of the whole text each."""


def _line(text: str, title: str, start: int) -> int:
    stop = min(len(text), start + _FURTHEST)
    at = text.find(title, start, stop)
    while at >= 0:
        end = at + len(title)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return at
        at = text.find(title, end, stop)
    return -1
