"""Models that are out of their depth say the same over and over; once is as much as that says."""

from __future__ import annotations

import re

_LOOP = re.compile(r"(\S.{0,15}?)(?:\s?\1){3,}")
"""A piece of a few words at most, four times or more on end."""
SCORE = -2.0
"""At most, of a translation that went in circles: one in seven, shown as unsure."""


def without_loops(translation: str, source: str) -> str:
    """Each piece that is said over and over said once, unless the source does so too."""
    return translation if _LOOP.search(source) else _LOOP.sub(r"\1", translation)
