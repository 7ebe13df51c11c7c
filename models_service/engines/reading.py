"""What a reader is given and what it finds. Apart from the engine, so that naming them imports no model library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """An answer candidate: `text` is passage[start:end]; `score` is its logit margin over "not answered here"."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Reading:
    """What a reader is given: read `passage` for an answer to `question`."""

    question: str
    passage: str
    n_best: int = 5
