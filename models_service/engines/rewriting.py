"""What a sequence-to-sequence model is given and what it writes. Apart from the engine, so that naming them imports
no model library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rewriting:
    """Write `text` anew, in another language or shorter.

    tag: put before the source, as the model was trained with it; a token or a text.
    begin: the token that the target begins with; it is not part of what is written.
    glue: between the pieces of a text that is longer than the model reads at once.
    longest: tokens of what is written; by default as many as a translation can be expected to have.
    written: nothing is searched for; the score of this is computed, as far as the model has positions.
    """

    text: str
    tag: str = ""
    begin: str = ""
    glue: str = " "
    n_best: int = 1
    beam_size: int | None = None
    longest: int | None = None
    written: str | None = None


@dataclass(frozen=True)
class Candidate:
    """`score` is the mean log-probability a token."""

    text: str
    score: float


@dataclass(frozen=True)
class Rewritten:
    """`candidates`, best first. `pieces`: in how many the text was read; `cut`: the best one reached the length limit
    before its end; `unknown`: characters of the text that the model does not know."""

    candidates: list[Candidate]
    pieces: int = 1
    cut: bool = False
    unknown: str = ""
