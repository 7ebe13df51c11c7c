"""The lines of one PDF page with what tells them apart: where they stand, how tall their letters are, their cells.

PDF knows letters at places, nothing else; lines come from pdfium, everything further is read off the places.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import pypdfium2.raw as pdfium

CELL_GAP = 1.1
"""A white space wider than so many times the height of its line parts two cells of a table."""
_BROKEN_WORD = (0x02, 0xFFFE)
"""What pdfium puts where a hyphen broke a word at the end of a line; the next line's letters follow at once."""


@dataclass(frozen=True)
class Line:
    """`first_word` is the width of its first word. All in points; y grows upwards."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    first_word: float
    is_row: bool

    @property
    def height(self) -> float:
        return self.top - self.bottom


def page_lines(text_page: pdfium.FPDF_TEXTPAGE) -> list[Line]:
    """The lines of a page, in the order in which the file holds them; none is empty."""
    count = max(0, pdfium.FPDFText_CountChars(text_page))
    codes = [pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count)]
    found = []
    start = 0
    for index in range(count + 1):
        if index == count or codes[index] in (10, 13):
            line = _line(text_page, codes, start, index)
            if line:
                found.append(line)
            start = index + 1
    return found


def _line(text_page: pdfium.FPDF_TEXTPAGE, codes: Sequence[int], start: int, end: int) -> Line | None:
    characters = [_character(code) for code in codes[start:end]]
    visible = [i for i, character in enumerate(characters) if character.strip()]
    if not visible:
        return None
    boxes: dict[int, tuple[float, float, float, float]] = {}

    def box(place: int) -> tuple[float, float, float, float]:
        if place not in boxes:
            boxes[place] = _box(text_page, start + place)
        return boxes[place]

    first, last = visible[0], visible[-1]
    left, bottom, _right, top = box(first)
    pieces, is_row = [characters[first]], False
    word_end = None
    for before, place in zip(visible, visible[1:], strict=False):
        if place > before + 1 and any(characters[before + 1 : place]):
            word_end = before if word_end is None else word_end
            is_border = box(place)[0] - box(before)[2] > CELL_GAP * max(top - bottom, 1.0)
            is_row |= is_border
            pieces.append(" | " if is_border else " ")
        pieces.append(characters[place])
    word_end = last if word_end is None else word_end
    return Line("".join(pieces), left, box(last)[2], bottom, top, box(word_end)[2] - left, is_row)


def _character(code: int) -> str:
    if code in _BROKEN_WORD:
        return ""
    character = chr(code) if 0 < code < 0x110000 else " "
    return character if character.isprintable() else " "


def _box(text_page: pdfium.FPDF_TEXTPAGE, index: int) -> tuple[float, float, float, float]:
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(rectangle)):
        return 0.0, 0.0, 0.0, 0.0
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
