"""Choose the sentences of a summary: those worth most that do not repeat one another.

Maximal marginal relevance (Carbonell and Goldstein 1998), up to a number of words or of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ALIKE_FROM = 0.7
"""Cosine of two sentences from which one begins to repeat the other."""
REPETITION = 3.0
"""What a sentence loses, in standard deviations of the text's values, when a chosen one says just the same."""


def choose(
    values: np.ndarray, vectors: np.ndarray, lengths: Sequence[int], *, words: int | None, most: int
) -> list[int]:
    """Indices in ascending order; one at least.

    Args:
        values: what each sentence is worth.
        vectors: one row a sentence, of L2 norm 1.
        lengths: words of each sentence; one without words is chosen only where all are.
        words: about how many are wanted. The sum comes as near as whole sentences allow: one is added as long as
            that takes the sum nearer.
        most: the most sentences.
    """
    length = np.asarray(lengths)
    left = np.flatnonzero(length > 0) if length.any() else np.arange(len(length))
    repeated = np.zeros(len(length))
    chosen: list[int] = []
    used = 0
    while len(chosen) < most and left.size:
        if chosen and words is not None:
            left = left[length[left] < 2 * (words - used)]
            if not left.size:
                break
        best = int(left[(values[left] - REPETITION * repeated[left]).argmax()])
        chosen.append(best)
        used += int(length[best])
        left = left[left != best]
        alike = (vectors @ vectors[best] - ALIKE_FROM) / (1 - ALIKE_FROM)
        repeated = np.maximum(repeated, alike)
    return sorted(chosen)
