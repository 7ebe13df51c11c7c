"""The pages of a PDF that are pictures, as a scanner makes them: which they are, and drawing them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from qa.pdf_lines import Line

if TYPE_CHECKING:
    import numpy as np

DOTS_PER_INCH = 200
MOST_PIXELS = 8_000_000
"""Of a page that is drawn: an A3 page at 200 dots per inch. Larger pages are drawn coarser."""
FEW_CHARACTERS = 60
"""A page with less text than this may be a picture that a scanner has put its name or a number on."""
COVERED = 0.5
"""The share of such a page that pictures cover at least."""
_MOST_OBJECTS = 2_000
"""That are looked at on a page."""


def picture_pages(document: pypdfium2.PdfDocument, pages: Sequence[Sequence[Line]]) -> list[int]:
    """Which pages, from 0, have to be recognised; `pages` are the lines that the file itself tells of each."""
    return [number for number, lines in enumerate(pages)
            if characters(lines) < FEW_CHARACTERS and _is_picture(document, number, has_text=bool(lines))]


def characters(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def drawn(document: pypdfium2.PdfDocument, number: int) -> tuple[np.ndarray, float]:
    """The page as height x width x 3 bytes, blue before red; and how many points a pixel has.

    Raises:
        pypdfium2.PdfiumError: it cannot be loaded or drawn.
    """
    page = document[number]
    try:
        width, height = page.get_size()
        scale = min(DOTS_PER_INCH / 72, sqrt(MOST_PIXELS / max(width * height, 1.0)))
        bitmap = page.render(scale=scale, may_draw_forms=False)
        try:
            return bitmap.to_numpy()[:, :, :3].copy(), 1 / scale
        finally:
            bitmap.close()
    finally:
        page.close()


def _is_picture(document: pypdfium2.PdfDocument, number: int, *, has_text: bool) -> bool:
    """Without text, whatever is drawn on the page may be letters."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return False
    try:
        if not has_text:
            return pdfium.FPDFPage_CountObjects(page) > 0
        width, height = page.get_size()
        found = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=2)
        covered = sum(_area(picture) for picture in islice(found, _MOST_OBJECTS))
        return covered >= COVERED * width * height
    finally:
        page.close()


def _area(picture: pypdfium2.PdfObject) -> float:
    try:
        left, bottom, right, top = picture.get_bounds()
    except pypdfium2.PdfiumError:
        return 0.0
    return max(0.0, right - left) * max(0.0, top - bottom)
