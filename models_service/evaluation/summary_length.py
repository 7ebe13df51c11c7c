"""How long the summaries are that an evaluation measures, as a person writes it."""

from __future__ import annotations

Length = str | int
"""One of LENGTHS, or a number of words."""
LENGTHS = ("reference", "short", "medium", "long")


def length_of(given: str) -> Length:
    """Raises ValueError when it is neither."""
    if given in LENGTHS:
        return given
    if given.isascii() and given.isdigit() and len(given) < 9 and int(given) > 0:
        return int(given)
    raise ValueError(f"{given!r} is neither of {', '.join(LENGTHS)} nor a number of words")
