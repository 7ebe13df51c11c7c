"""Why a file cannot become a document, as a parser of one format finds out; `documents.py` adds the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from qa.encodings import NotText

UnreadableCode = Literal["encrypted", "scanned", "unrecognised", "too_many_pixels", "damaged", "too_hard"]
"""`scanned`: a picture, and no text recognition here; `unrecognised`: a picture in which it found no text."""


class Unreadable(ValueError):
    """`reason` is a sentence for a person that says what to do."""

    def __init__(self, code: UnreadableCode, reason: str) -> None:
        super().__init__(reason)
        self.code: UnreadableCode = code
        self.reason = reason


@contextmanager
def damaged_otherwise(kind: str) -> Iterator[None]:
    """Whatever the libraries within raise for broken bytes is one refusal; they have no error of their own for it.

    Running out of memory is not the file's fault alone: whoever reads it set the limit, and says so.
    """
    try:
        yield
    except (Unreadable, NotText, MemoryError):
        raise
    except Exception as error:
        raise Unreadable("damaged", f"it is damaged or no {kind}. Open it in its own program and save it anew."
                         ) from error


def nothing_seen(*, was_tried: bool) -> Unreadable:
    """Why pictures of pages are no document: nothing was recognised in them, or nothing here recognises text."""
    if was_tried:
        return Unreadable("unrecognised", "no text was recognised in it. Scan it anew, sharper and upright.")
    return Unreadable("scanned", "it is a picture without text, as a scanner makes them, and text recognition is not "
                                 "there: install the package rapidocr, or run text recognition (OCR) over it first.")
