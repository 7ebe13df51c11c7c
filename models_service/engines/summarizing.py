"""What a summarizer is given and what it chooses. Apart from the engine, so that naming them imports no model
library."""

from __future__ import annotations

from dataclasses import dataclass

SENTENCES_CHOSEN = 3
"""Where neither a number of words nor of sentences is asked for."""


@dataclass(frozen=True)
class Document:
    """A text's sentences in order, and how much of them is wanted: about so many words, at most so many sentences."""

    sentences: tuple[str, ...]
    words: int | None = None
    sentences_wanted: int | None = None


@dataclass(frozen=True)
class Summary:
    """`chosen` are indices in the text's order; `scores` has one a sentence, 0 to 1."""

    chosen: tuple[int, ...]
    scores: tuple[float, ...]
