"""Pictures of text, drawn as a test wants them, and PDF files of such, as a scanner makes them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

LEADING = 1.6
"""Letters' heights from one line to the next."""
BLANK = Image.new("L", (400, 300), 255)


def drawn(
    lines: Sequence[str | tuple[int, int, str]], size: tuple[int, int] = (1000, 400),
    letters: int = 28, font: str = "",
) -> Image.Image:
    """Black on white. A line is a text, set below the one before ("" leaves a gap), or (x, y, text); all in pixels.

    `font` is a font file; without, the one that Pillow carries.
    """
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    used = ImageFont.truetype(font, letters) if font else ImageFont.load_default(letters)
    y = 40
    for line in lines:
        x, y, text = line if isinstance(line, tuple) else (50, y, line)
        pen.text((x, y), text, font=used, fill="black")
        y += round(LEADING * letters)
    return picture


def as_file(picture: Image.Image, form: str = "PNG", **more: object) -> bytes:
    """The picture's file, in one of Pillow's formats."""
    file = io.BytesIO()
    picture.save(file, form, **more)
    return file.getvalue()


def scan(pages: Sequence[Image.Image]) -> bytes:
    """A PDF whose pages are these pictures, at 200 dots per inch."""
    first, *others = (page.convert("RGB") for page in pages)
    return as_file(first, "PDF", save_all=True, append_images=others, resolution=200)
