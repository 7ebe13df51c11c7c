"""Cut a text into overlapping passages, the units that are embedded, searched and read. Offsets stay exact."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.scripts import count_cjk
from qa.sentences import sentences
from qa.structure import Row

TARGET_COST = 720
"""About 120 English words or 240 Chinese characters; a cost is counted by `_cost`."""
LARGEST_COST = 1_080
"""A paragraph this long stays whole; nothing longer is ever made."""
OVERLAP_COST = 240
MAX_PASSAGE_CHARACTERS = LARGEST_COST
_CJK_COST = 3

_HEADING_LINE = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_SPACE = re.compile(r"\s")
_JOINER = "\u200d"


@dataclass(frozen=True)
class Passage:
    """Characters `start` to `end` of a document's text."""

    start: int
    end: int


@dataclass(frozen=True)
class _Unit:
    """A sentence, or a piece of one that is too long. `cost` leaves out the white space before it, `gap`."""

    start: int
    end: int
    gap: int
    cost: int
    opens_paragraph: bool
    heading: bool


def split(text: str, rows: Sequence[Row] = ()) -> list[Passage]:
    """Passages in order that together hold every character that is not white space.

    Each is at most MAX_PASSAGE_CHARACTERS long and starts and ends with something visible. Neighbours share a
    sentence or two, except across a heading, which opens the passage of what follows it. Each of the table `rows` is
    a passage of its own, or several if it is long: a reader that sees two rows takes the cell of one for the other's.
    """
    passages = []
    done = 0
    for row in rows:
        passages += _split_between(text, done, row.start)
        passages += _split_between(text, row.start, row.end)
        done = row.end
    return passages + _split_between(text, done, len(text))


def _split_between(text: str, begin: int, end: int) -> list[Passage]:
    piece = text[begin:end]
    if not piece or piece.isspace():
        return []
    return [Passage(begin + passage.start, begin + passage.end) for passage in _split_prose(piece)]


def _split_prose(text: str) -> list[Passage]:
    units = list(_units(text))
    passages = []
    first = 0
    while first < len(units):
        end = _passage_end(units, first)
        passages.append(Passage(units[first].start, units[end - 1].end))
        first = end if end >= len(units) else _overlap_start(units, first, end)
    return passages


def in_heading(text: str, position: int) -> bool:
    """Whether the character at `position` stands in a Markdown heading."""
    return _HEADING_LINE.match(text, text.rfind("\n", 0, position) + 1) is not None


def in_code_block(text: str, position: int) -> bool:
    """Whether the character at `position` stands in a fenced block of code that is opened in `text`."""
    return text.count("```", 0, position) % 2 == 1


def _units(text: str) -> Iterator[_Unit]:
    previous_end = 0
    for start, end in sentences(text):
        opens = not previous_end or text.count("\n", previous_end, start) > 1
        heading = _is_heading(text, start, end, opens)
        for piece_start, piece_end in _hard_cut(text, start, end):
            cost = _cost(text, piece_start, piece_end)
            yield _Unit(piece_start, piece_end, piece_start - previous_end, cost, opens or heading, heading)
            opens = False
            previous_end = piece_end


def _cost(text: str, start: int, end: int) -> int:
    """Characters, with a Chinese one counted three times: about what an encoder's tokens cost."""
    piece = text[start:end]
    return len(piece) + (_CJK_COST - 1) * count_cjk(piece)


def _is_heading(text: str, start: int, end: int, opens: bool) -> bool:
    """A Markdown heading, or a short unpunctuated line that stands alone above a paragraph."""
    if _HEADING_LINE.match(text, start):
        return True
    alone = opens and text.startswith("\n\n", end)
    return alone and end - start <= 80 and "\n" not in text[start:end] and text[end - 1] not in ".!?。！？:：;；,，|"


def _hard_cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most TARGET_COST, cut at white space where there is some near."""
    while _longer_than(text, start, end, TARGET_COST):
        cut = _affordable(text, start, TARGET_COST)
        spaces = [m.start() for m in _SPACE.finditer(text, start + (cut - start) // 2, cut)]
        cut = spaces[-1] if spaces else _between_characters(text, start, cut)
        yield start, cut
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end


def _longer_than(text: str, start: int, end: int, cost: int) -> bool:
    return end - start > cost or _cost(text, start, end) > cost


def _affordable(text: str, start: int, cost: int) -> int:
    """The furthest end at which text[start:end] costs no more than `cost`."""
    window = text[start : start + cost]
    spent = 0
    for i, character in enumerate(window):
        spent += _CJK_COST if count_cjk(character) else 1
        if spent > cost:
            return start + i
    return start + len(window)


def _between_characters(text: str, start: int, cut: int) -> int:
    """The cut moved back so that no accent or joined emoji loses what it belongs to; not by more than a few marks."""
    for at in range(cut, max(start, cut - 20), -1):
        extends = unicodedata.category(text[at])[0] == "M" or _JOINER in text[at - 1 : at + 1]
        if not extends:
            return at
    return cut


def _passage_end(units: list[_Unit], first: int) -> int:
    """Take units up to the target; then to the paragraph's end if that is near."""
    total = units[first].cost
    end = first + 1
    while end < len(units):
        unit = units[end]
        grown = total + unit.gap + unit.cost
        if grown > LARGEST_COST:
            break
        if unit.heading and total >= TARGET_COST * 0.4 and not _only_headings(units, first, end):
            break
        if grown > TARGET_COST and (
            unit.opens_paragraph or not _paragraph_fits(units, end, LARGEST_COST - total)
        ):
            break
        total = grown
        end += 1
    return _leave_trailing_headings(units, first, end) if end < len(units) else end


def _leave_trailing_headings(units: list[_Unit], first: int, end: int) -> int:
    """Headings at the end go to the next passage, unless this one is nothing but headings."""
    kept = end
    while kept > first and units[kept - 1].heading:
        kept -= 1
    return kept if kept > first else end


def _only_headings(units: list[_Unit], first: int, end: int) -> bool:
    return all(unit.heading for unit in units[first:end])


def _paragraph_fits(units: list[_Unit], at: int, budget: int) -> bool:
    """Whether the rest of the paragraph, from unit `at`, costs no more than the budget."""
    for i in range(at, len(units)):
        if i > at and units[i].opens_paragraph:
            return True
        budget -= units[i].gap + units[i].cost
        if budget < 0:
            return False
    return True


def _overlap_start(units: list[_Unit], first: int, end: int) -> int:
    """Step back a sentence or two, but never into a new section or to where this passage began."""
    start = end
    spent = 0
    for _ in range(2):
        if start - 1 <= first or units[start].heading or units[start - 1].heading:
            break
        spent += units[start - 1].cost + units[start].gap
        if spent > OVERLAP_COST:
            break
        start -= 1
    return start
