"""Why a file cannot become a document, as a parser of one format finds out; `documents.py` adds the file's name."""

from __future__ import annotations

from typing import Literal

UnreadableCode = Literal["encrypted", "scanned", "damaged", "too_hard"]


class Unreadable(ValueError):
    """`reason` is a sentence for a person that says what to do."""

    def __init__(self, code: UnreadableCode, reason: str) -> None:
        super().__init__(reason)
        self.code: UnreadableCode = code
        self.reason = reason
