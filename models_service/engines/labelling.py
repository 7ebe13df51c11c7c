"""What a classifier gives. Apart from the engine, so that naming it imports no model library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Task = Literal["text", "tokens"]
NOTHING = "O"
_OPENS, _GOES_ON = ("B", "S", "U"), ("I", "E", "L", "M")


@dataclass(frozen=True)
class Labelled:
    """A text's label, or that of the characters `start` to `end` of it. `score` is 0 to 1."""

    label: str
    score: float
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Word:
    """`start` and `end` are characters of the text; `shares` the probability of each label."""

    start: int
    end: int
    shares: np.ndarray


def entities(words: Sequence[Word], labels: Sequence[str]) -> list[Labelled]:
    """Neighbouring words of one label as one entity: tags as in B-PER, I-PER (BIO, BIOES, BILOU), or bare labels."""
    found: list[tuple[str, list[Word], list[float]]] = []
    before = NOTHING
    for word in words:
        best = int(word.shares.argmax())
        part, label = _tag(labels[best])
        if label != NOTHING:
            if part in _OPENS or label != before:
                found.append((label, [], []))
            found[-1][1].append(word)
            found[-1][2].append(float(word.shares[best]))
        before = label
    return [
        Labelled(label, sum(scores) / len(scores), own[0].start, own[-1].end) for label, own, scores in found
    ]


def kinds(task: Task, labels: Sequence[str]) -> list[str]:
    """Every label that an output may have, once."""
    if task == "text":
        return list(labels)
    return [label for label in dict.fromkeys(_tag(name)[1] for name in labels) if label != NOTHING]


def _tag(name: str) -> tuple[str, str]:
    """B-PER is ("B", "PER"); PER is ("I", "PER")."""
    part, dash, label = name.partition("-")
    if dash and part in (*_OPENS, *_GOES_ON):
        return part, label
    return "I", name
