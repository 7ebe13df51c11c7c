"""Why a file cannot become a document, as a parser of one format finds out; `documents.py` adds the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from qa.encodings import NotText

UnreadableCode = Literal["encrypted", "scanned", "damaged", "too_hard"]


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
