"""What a parser of one format hands over, and the one form of text that all of them write."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.structure import NOTHING_KNOWN, Structure

_NEWLINES = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class FileText:
    """`text` is as `normalise` leaves it; `title` is "" where the file names none."""

    title: str
    text: str
    structure: Structure = NOTHING_KNOWN


def normalise(text: str) -> str:
    """One kind of newline, no control characters but tab, no byte order mark inside, no white space at the ends."""
    text = _NEWLINES.sub("\n", text)
    return _UNWANTED.sub("", text).strip()


def one_line(text: str) -> str:
    """Normalised, and each run of white space a space."""
    return " ".join(normalise(text).split())
