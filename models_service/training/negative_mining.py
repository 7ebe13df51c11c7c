"""Finds passages that an encoder takes for the right one and that are not: what it has most to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOO_ALIKE = 0.95
"""Of the right passage's cosine: what comes nearer may well be right too (Moreira et al. 2024, positive-aware)."""
LOOKED_AT = 50
QUESTIONS_AT_ONCE = 256


def mined(
    queries: np.ndarray, documents: np.ndarray, relevant: Sequence[frozenset[int]], count: int
) -> list[list[int]]:
    """For each question up to `count` documents, the nearest that are not relevant and not too much like what is.

    Args:
        queries: float32 (questions, dimension), of L2 norm 1; `documents` likewise.
        relevant: a question's right documents, as rows of `documents`.
    """
    found: list[list[int]] = []
    depth = min(LOOKED_AT, len(documents))
    for begin in range(0, len(queries), QUESTIONS_AT_ONCE):
        scores = queries[begin : begin + QUESTIONS_AT_ONCE] @ documents.T
        for right, own in zip(relevant[begin:], scores, strict=False):
            most = TOO_ALIKE * max(own[number] for number in right)
            nearest = np.argsort(-own, kind="stable")[:depth]
            found.append([int(number) for number in nearest if own[number] < most and number not in right][:count])
    return found
