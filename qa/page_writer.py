"""Lines of pages to readable text: put together to paragraphs, running heads left out, pages and headings remembered.

The lines come from a PDF's own text (`pdf_text.py`) or from text recognition (`recognised_lines.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from qa.pdf_lines import Line
from qa.scripts import CJK, goes_on_without_space
from qa.structure import MAX_HEADING_CHARACTERS, Heading

PARAGRAPH_GAP = 1.3
"""Lines further apart than so many times the usual distance begin a paragraph."""
FEWEST_GAPS = 8
"""From which the usual distance between lines is told; fewer may all be gaps between paragraphs."""
HEADING_HEIGHT = 1.15
"""Letters so much taller than most of the document's make a heading, where the file has no outline."""
OTHER_SIZE = 0.1
"""Lines whose letters differ in height by more than this share, one of them a heading, are no one paragraph."""
RUNNING_SHARE = 0.3
"""A first or last line that so many of the pages have, but for its numbers, is a running head."""

_DIGITS = re.compile(r"\d+")
_ENDS_SENTENCE = re.compile(r"[.!?。！？:：;；][\"'”’)\]』」）]*$")
_ENDS_BROKEN = re.compile(r"[^\W\d_]-$")
_STARTS_SMALL = re.compile(rf"[{CJK}]|[^\W\d_A-Z]")
_LETTER = re.compile(r"[^\W\d_]")


def without_running_heads(pages: list[list[Line]]) -> list[list[Line]]:
    """The pages without page numbers, and without what stands at the head or foot of many of them."""
    seen: Counter[str] = Counter()
    for lines in pages:
        seen.update({_pattern(lines[place]) for place in _edges(lines)})
    least = max(3, RUNNING_SHARE * len(pages))
    kept = []
    for lines in pages:
        dropped = {place for place in _edges(lines) if seen[_pattern(lines[place])] >= least}
        kept.append([line for place, line in enumerate(lines) if place not in dropped])
    return kept if any(kept) else pages


def _edges(lines: Sequence[Line]) -> set[int]:
    """The places of the lines that may be running heads: the highest and the lowest, if they stand apart.

    A line of the text itself may well begin many pages alike: in tables, or in forms.
    """
    if len(lines) < 2:
        return set(range(len(lines)))
    downwards = sorted(range(len(lines)), key=lambda place: -lines[place].bottom)
    distance = _usual_distance([lines[place] for place in downwards]) or 1.3 * lines[0].height
    found = set()
    for edge, beside in ((downwards[0], downwards[1]), (downwards[-1], downwards[-2])):
        line, other = lines[edge], lines[beside]
        is_apart = abs(line.bottom - other.bottom) > PARAGRAPH_GAP * distance
        is_other_size = abs(line.height - other.height) > OTHER_SIZE * other.height
        if is_apart or is_other_size or not _LETTER.search(line.text):
            found.add(edge)
    return found


def _pattern(line: Line) -> str:
    return _DIGITS.sub("#", line.text)


class PageWriter:
    """Puts the lines of all pages together: `text`, where each of the `pages` begins in it, and its `headings`."""

    def __init__(self, lines_of_pages: Sequence[Sequence[Line]]) -> None:
        self.pages: list[int] = []
        self.headings: list[Heading] = []
        self._parts: list[str] = []
        self._length = 0
        self._body = body_height(lines_of_pages)
        tall = {round(line.height) for lines in lines_of_pages for line in lines if self._is_tall(line)}
        self._levels = {height: min(level, 6) for level, height in enumerate(sorted(tall, reverse=True), start=1)}
        usual = _usual_distance([line for lines in lines_of_pages for line in lines]) or 1.3 * self._body
        before: Line | None = None
        for lines in lines_of_pages:
            distance = _usual_distance(lines) or usual
            edges = self._right_edges(lines, distance)
            self.pages.append(self._length)
            for place, line in enumerate(lines):
                edge = edges[place - 1] if place else None
                border = "" if before is None else self._border(before, line, edge, distance)
                self._write(before, line, border)
                if not place:
                    self.pages[-1] = self._length - len(line.text)
                before = line
        self.text = "".join(self._parts)

    def _write(self, before: Line | None, line: Line, border: str) -> None:
        if before is not None and not border and _is_broken(before):  # the hyphen goes
            self._parts[-1] = self._parts[-1][:-1]
            self._length -= 1
        begins = self._length + len(border)
        if self._is_tall(line):
            if before is not None and self._is_tall(before) and border in ("", " ") and self.headings:
                last = self.headings[-1]
                title = (last.title + border + line.text)[:MAX_HEADING_CHARACTERS]
                self.headings[-1] = Heading(last.start, last.level, title)
            elif _LETTER.search(line.text) and not line.is_row:
                self.headings.append(Heading(begins, self._levels[round(line.height)], line.text))
        self._parts += [border, line.text]
        self._length = begins + len(line.text)

    def _is_tall(self, line: Line) -> bool:
        return line.height > HEADING_HEIGHT * self._body and len(line.text) <= MAX_HEADING_CHARACTERS

    def _border(self, before: Line, line: Line, edge: float | None, distance: float) -> str:
        """What stands between two lines: nothing or a space when the second goes on, else a newline or an empty line.

        `edge` is how far lines reach where `before` stands; None when the two are on different pages.
        """
        if edge is None:
            goes_on = not _ENDS_SENTENCE.search(before.text) and _STARTS_SMALL.match(line.text) and not before.is_row
            return _joint(before, line) if goes_on else "\n\n"
        gap = before.bottom - line.bottom
        is_other_size = abs(before.height - line.height) > OTHER_SIZE * before.height
        if gap > PARAGRAPH_GAP * distance or (is_other_size and (self._is_tall(before) or self._is_tall(line))):
            return "\n\n"
        ends = _ENDS_SENTENCE.search(before.text) is not None
        if gap < 0:  # the next column
            return "\n\n" if ends or before.is_row else _joint(before, line)
        if before.is_row or line.is_row:
            return "\n"
        if ends and line.left - before.left > 0.7 * line.height:  # the first line of a paragraph, indented
            return "\n\n"
        was_wrapped = before.right + line.first_word > edge
        return _joint(before, line) if was_wrapped or _is_broken(before) else "\n"

    def _right_edges(self, lines: Sequence[Line], distance: float) -> list[float]:
        """For each line, how far to the right the lines of its column reach. A heading may go across several."""
        edges: list[float] = []
        start = 0
        for place in range(1, len(lines) + 1):
            gap = lines[place - 1].bottom - lines[place].bottom if place < len(lines) else -1.0
            if gap < 0 or gap > 6 * distance:
                reach = [line for line in lines[start:place] if not line.is_row]
                reach = [line for line in reach if not self._is_tall(line)] or reach
                edges += [max((line.right for line in reach), default=0.0)] * (place - start)
                start = place
        return edges


def _joint(before: Line, line: Line) -> str:
    if _is_broken(before) or goes_on_without_space(before.text, line.text):
        return ""
    return " "


def body_height(pages: Sequence[Sequence[Line]]) -> float:
    """Of most letters of the document."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[round(line.height, 1)] += len(line.text)
    return letters.most_common(1)[0][0]


def _is_broken(line: Line) -> bool:
    """Whether it ends within a word; pdfium has put most such words together already."""
    return _ENDS_BROKEN.search(line.text) is not None


def _usual_distance(lines: Sequence[Line]) -> float:
    """From one line to the next below it; 0 where too few lines follow each other to say."""
    gaps = [one.bottom - following.bottom for one, following in zip(lines, lines[1:], strict=False)]
    downwards = [gap for gap, line in zip(gaps, lines, strict=False) if gap > 0.3 * line.height]
    return median(downwards) if len(downwards) >= FEWEST_GAPS else 0.0
