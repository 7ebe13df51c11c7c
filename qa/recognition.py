"""Text in pictures, recognised by RapidOCR with the PP-OCRv6 models that its package carries; no network, one thread.

Knows pixels only: what lines make of a page is `recognised_lines.py`'s. The engine is loaded by the first picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LEAST_SCORE = 0.65
"""Of a line, from 0 to 1. Pages that are read rightly have 0.9 and more; what is no text is left out by it."""
DETECTION_SIDE = 1280
"""Pixels of the longer side of the picture in which lines are looked for. They are read from the whole picture."""
MOST_PIXELS = 80_000_000
"""Of a file that is a picture. A file of few bytes can have any number; decoded, each takes three or four bytes."""
MOST_SIDE = 4_000
"""Pixels; larger pictures are made smaller."""
DOUBTFUL_SCORE = 0.85
"""A page whose lines are read with less certainty may stand on its head."""
TALL = 1.5
"""A line so much taller than wide stands on end."""


@dataclass(frozen=True)
class Seen:
    """A line of text in a picture.

    `corners` are (x, y) in pixels, y downwards, clockwise from the one where the line begins at the top.
    """

    text: str
    score: float
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picture:
    """What was seen in a picture; `width` and `height` in pixels, of the picture as it was turned for reading."""

    seen: tuple[Seen, ...]
    width: int
    height: int


def is_installed() -> bool:
    return find_spec("rapidocr") is not None


class Recogniser:
    """Reads the pictures of one document, at most `most_pages` of them; with 0, none.

    `begins` is called before each with how many are done, and of how many.
    """

    def __init__(self, most_pages: int, begins: Callable[[int, int], None] = lambda done, of: None) -> None:
        self._left = most_pages if is_installed() else 0
        self._begins = begins
        self._done = self._wanted = 0
        self._engine: Any = None

    def taken(self, pages: Sequence[int]) -> list[int]:
        """Those of these pages that it has room for; `begin_page` and `read` are then called for each."""
        found = list(pages[: self._left])
        self._left -= len(found)
        self._wanted += len(found)
        return found

    def begin_page(self) -> None:
        """To be called before a page is drawn or decoded for `read`."""
        self._begins(self._done, self._wanted)
        self._done += 1

    def read(self, image: np.ndarray) -> Picture:
        """The lines of a picture, in no order. One that lies on its side or stands on its head is turned first.

        Args:
            image: height x width x 3, bytes, blue before red.
        """
        image = _bounded(image)
        found = self._picture(image)
        letters = _letters(found.seen)
        if _letters([one for one in found.seen if _is_tall(one)]) > letters / 2:
            found = max((self._picture(_turned(image, quarters)) for quarters in (1, 3)), key=_certain)
        elif sum(len(one.text) * one.score for one in found.seen) < DOUBTFUL_SCORE * letters:
            found = max(found, self._picture(_turned(image, 2)), key=_certain)
        return replace(found, seen=tuple(one for one in found.seen if one.score >= LEAST_SCORE))

    def _picture(self, image: np.ndarray) -> Picture:
        engine = self._loaded()
        try:
            result = engine(image)
        except Exception as error:  # the libraries below have no error in common for too little memory
            if re.search("bad_alloc|allocate|Insufficient memory", str(error)):
                raise MemoryError from error
            raise
        found = () if result.txts is None else zip(result.txts, result.scores, result.boxes, strict=True)
        seen = tuple(Seen(text.strip(), float(score), tuple((float(x), float(y)) for x, y in box))
                     for text, score, box in found if text.strip())
        return Picture(seen, image.shape[1], image.shape[0])

    def _loaded(self) -> Any:
        if self._engine is None:
            import cv2
            from rapidocr import RapidOCR

            cv2.setNumThreads(1)
            self._engine = RapidOCR(params={
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Global.log_level": "error",
                "Global.use_cls": False,  # whole pages are turned instead
                "Global.text_score": 0.0,  # by LEAST_SCORE, afterwards
                "Global.max_side_len": MOST_SIDE,
                "Det.limit_type": "max",
                "Det.limit_side_len": DETECTION_SIDE,
                "Rec.rec_batch_num": 1,  # without padding, quicker and in half of the memory
            })
        return self._engine


def _bounded(image: np.ndarray) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    scale = MOST_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _turned(image: np.ndarray, quarters: int) -> np.ndarray:
    """By so many quarters, against the clock."""
    import numpy as np

    return np.ascontiguousarray(np.rot90(image, quarters))


def _is_tall(one: Seen) -> bool:
    (x0, y0), (x1, y1), _, (x3, y3) = one.corners
    return abs(y3 - y0) + abs(x3 - x0) > TALL * (abs(x1 - x0) + abs(y1 - y0))


def _letters(seen: Sequence[Seen]) -> int:
    return sum(len(one.text) for one in seen)


def _certain(picture: Picture) -> float:
    """How much was read with certainty; what is read wrongly has low scores, and counts for little."""
    return sum(len(one.text) * one.score**4 for one in picture.seen)
