"""Lines that were seen in a picture, put in the order in which they are read: columns, rows, cells of tables.

What comes out is what a page of a PDF with text has (`pdf_lines.py`), so that the same code makes paragraphs of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, hypot, sin
from statistics import median

from qa.file_text import one_line
from qa.page_writer import body_height
from qa.pdf_lines import Line
from qa.recognition import Picture, Seen
from qa.scripts import CJK, goes_on_without_space

SAME_SIZE = 0.3
"""The heights that are seen of one size of letters differ by this share: some lines have no letter that goes down."""
SAME_ROW = 0.5
"""Middles less than so many heights apart are in one row."""
CELL_GAP = 1.0
"""A white space wider than so many heights parts two cells of a table."""
PROSE_WIDTH = 8.0
"""Heights. Lines of a column of text are at least so wide; cells of tables hardly."""
FEWEST_ROWS = 3
"""Of two columns, with lines of text side by side."""
MOST_ACROSS = 1 / 3
"""Of the lines beside a gutter, the share that may go across it, as headings do."""
LONG = 3.0
"""Heights. From such a width the slope of a line tells that of the page."""

_SPACE_BETWEEN_CHINESE = re.compile(rf"(?<=[{CJK}，。、；：！？）」』”]) +(?=[{CJK}，。、；：！？（「『“])")


@dataclass(frozen=True)
class Box:
    """A line in a picture that is not askew. In pixels; `middle` is the line's, y downwards."""

    text: str
    left: float
    right: float
    middle: float
    height: float

    @property
    def width(self) -> float:
        return self.right - self.left


def lines_of(picture: Picture, points_per_pixel: float = 1.0) -> list[Line]:
    """The lines in the order in which they are read; those of one row and column are put together to one."""
    boxes = upright(picture.seen)
    if not boxes:
        return []
    body = _body(boxes)
    boxes = [replace(box, height=body) if abs(box.height - body) <= SAME_SIZE * body else box for box in boxes]
    return [_line(row, points_per_pixel) for column in columns(boxes) for row in _rows(column)]


def in_one_size(pages: Sequence[Sequence[Line]], recognised: Collection[int]) -> list[list[Line]]:
    """The pages, those that were recognised with the letters of most of their text as tall as the others have it.

    How much white is seen around letters is another thing on each page, and would make headings of whole pages.
    """
    body = {number: body_height([pages[number]]) for number in recognised if pages[number]}
    told = [lines for number, lines in enumerate(pages) if lines and number not in recognised]
    usual = body_height(told) if told else median(body.values()) if body else 1.0
    return [
        [replace(line, top=line.bottom + line.height * usual / body[number]) for line in lines]
        if number in body else list(lines) for number, lines in enumerate(pages)
    ]


def upright(seen: Sequence[Seen]) -> list[Box]:
    """The page turned by the slope that most of its longer lines have."""
    boxes = []
    sizes = []
    for one in seen:
        (x0, y0), (x1, y1), _, (x3, y3) = one.corners
        sizes.append((hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0), atan2(y1 - y0, x1 - x0)))
    slopes = [slope for width, height, slope in sizes if width > LONG * height]
    slope = median(slopes) if slopes else 0.0
    for one, (width, height, _slope) in zip(seen, sizes, strict=True):
        text = _SPACE_BETWEEN_CHINESE.sub("", one_line(one.text))
        x, y = (sum(corner[axis] for corner in one.corners) / 4 for axis in (0, 1))
        across, down = x * cos(slope) + y * sin(slope), y * cos(slope) - x * sin(slope)
        if text and height > 0:
            boxes.append(Box(text, across - width / 2, across + width / 2, down, height))
    return boxes


def columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes of each column, from top to bottom; what goes across columns is between those above and below it."""
    boxes = sorted(boxes, key=lambda box: (box.middle, box.left))
    gutter = _gutter(boxes)
    if gutter is None:
        return [boxes] if boxes else []
    found: list[list[Box]] = []
    left: list[Box] = []
    right: list[Box] = []
    across: list[Box] = []

    def end_columns() -> None:
        for side in (left, right):
            found.extend(columns(side))
            side.clear()

    for box in boxes:
        if box.left < gutter < box.right:
            end_columns()
            across.append(box)
            continue
        if across:
            found.append(across)
            across = []
        (left if box.right <= gutter else right).append(box)
    end_columns()
    return [*found, across] if across else found


def _gutter(boxes: Sequence[Box]) -> float | None:
    """Where a white strip goes down between two columns of text; the boxes are given from top to bottom."""
    if not boxes:
        return None
    body = _body(boxes)
    prose = [box for box in boxes if box.width >= PROSE_WIDTH * body]
    gaps: list[tuple[float, float, float]] = []
    for place, one in enumerate(prose):
        for other in prose[place + 1 :]:
            if other.middle - one.middle >= body:
                break
            first, second = sorted((one, other), key=lambda box: box.left)
            if first.right <= second.left:
                gaps.append((first.right, second.left, one.middle))
    best, rows = None, []
    for start, end, _middle in gaps:
        x = (start + end) / 2
        beside = [gap[2] for gap in gaps if gap[0] < x < gap[1]]
        if len(beside) > len(rows):
            best, rows = x, beside
    if best is None or len(rows) < FEWEST_ROWS:
        return None
    across = sum(box.left < best < box.right and rows[0] <= box.middle <= rows[-1] for box in boxes)
    return best if across <= MOST_ACROSS * len(rows) else None


def _rows(column: Sequence[Box]) -> list[list[Box]]:
    """Boxes side by side, from left to right; the column is given from top to bottom."""
    rows: list[list[Box]] = []
    for box in column:
        row = rows[-1] if rows else None
        if row and box.middle - median(one.middle for one in row) < SAME_ROW * min(box.height, row[0].height):
            row.append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: box.left) for row in rows]


def _line(row: Sequence[Box], scale: float) -> Line:
    height = max(row, key=lambda box: box.width).height
    text, is_row = row[0].text, False
    for before, box in zip(row, row[1:], strict=False):
        is_border = box.left - before.right > CELL_GAP * height
        is_row |= is_border
        joint = "" if goes_on_without_space(before.text, box.text) else " "
        text += (" | " if is_border else joint) + box.text
    first = row[0]
    word = first.text[:1] if re.match(f"[{CJK}]", first.text) else first.text.split()[0]
    word_width = first.width * min(1.0, (len(word) + 2) / len(first.text))  # with its space, and some room
    middle = sum(box.middle * box.width for box in row) / sum(box.width for box in row)
    return Line(text, first.left * scale, row[-1].right * scale, -(middle + height / 2) * scale,
                -(middle - height / 2) * scale, word_width * scale, is_row)


def _body(boxes: Sequence[Box]) -> float:
    """The height that the middle one of all letters has."""
    return median(box.height for box in boxes for _letter in box.text)
