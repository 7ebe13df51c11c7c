"""Pictures of text (PNG, JPEG, WebP, TIFF with its pages) to readable text, by text recognition."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from qa.file_text import FileText
from qa.page_writer import PageWriter, without_running_heads
from qa.pdf_lines import Line
from qa.recognised_lines import in_one_size, lines_of
from qa.recognition import MOST_PIXELS, MOST_SIDE, Recogniser
from qa.structure import MOST_HEADINGS, Structure
from qa.unreadable import Unreadable, damaged_otherwise, nothing_seen

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

PAGE_WIDTH = 595.0
"""Points: a picture is taken for an A4 page."""
LONG = 2.5
"""A picture so many times higher than wide is read in pieces, such as one of a whole web page."""
LEAST_WIDTH = 100
"""Pixels. What is narrower is no page."""
PIECE = 1.5
"""How many times higher than wide a piece is."""
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")


def read_picture(data: bytes, recogniser: Recogniser | None = None) -> FileText:
    """
    Raises:
        Unreadable: damaged, too large, or no text in it, or nothing that recognises it.
    """
    with damaged_otherwise("picture"):
        return _read(data, recogniser)


def _read(data: bytes, recogniser: Recogniser | None) -> FileText:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
            _check_size(picture)
            tried = recogniser.taken(range(count)) if recogniser else []
            pages: list[list[Line]] = [[] for _page in range(count)]
            for number in tried:
                recogniser.begin_page()
                if number:
                    picture.seek(number)
                    _check_size(picture)
                pages[number] = _lines(picture, recogniser)
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    if not any(pages):
        raise nothing_seen(was_tried=bool(tried))
    writer = PageWriter(without_running_heads(in_one_size(pages, tried)))
    headings = writer.headings[:MOST_HEADINGS]
    structure = Structure(
        tuple(writer.pages), tuple(headings), recognised=tuple(number + 1 for number in tried if pages[number]),
        unread=tuple(number + 1 for number in range(len(tried), count)))
    return FileText(headings[0].title if headings else "", writer.text, structure)


def _check_size(picture: Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> Unreadable:
    return Unreadable("too_many_pixels", f"it has more than {MOST_PIXELS // 1_000_000} megapixels. Make it smaller.")


def _lines(picture: Image, recogniser: Recogniser) -> list[Line]:
    lines = []
    for top, piece in _pieces(_pixels(picture)):
        points = PAGE_WIDTH / piece.shape[1]
        lines += [replace(line, bottom=line.bottom - top * points, top=line.top - top * points)
                  for line in lines_of(recogniser.read(piece), points)]
    return lines


def _pixels(picture: Image) -> np.ndarray:
    """As height x width x 3 bytes, blue before red; turned as the camera says, on white where it is transparent."""
    import numpy as np
    from PIL import Image, ImageOps

    is_long = picture.height > LONG * picture.width
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    elif not is_long:
        picture.draft("RGB", (MOST_SIDE, MOST_SIDE))
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def _pieces(image: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each with the row where it begins; cut where there is the least to cut through, between lines."""
    height, width = image.shape[:2]
    piece = round(PIECE * width)
    if height <= LONG * width or width < LEAST_WIDTH:
        piece = height
    top = 0
    while top < height:
        end = min(top + piece, height)
        if end < height:
            lowest = image[end - piece // 4 : end].astype("int16")
            unrest = abs(lowest[:, 1:] - lowest[:, :-1]).sum(axis=(1, 2))
            end -= int(unrest[::-1].argmin())
        yield top, image[top:end]
        top = end
