"""Choose the sentences of a summary: those with high scores that say little of what another one says already.

Maximal marginal relevance (Carbonell and Goldstein 1998), up to a number of words or of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

OVERLAP = 1.0
"""What a sentence loses when a chosen one says the same, in units of its score."""


def choose(
    scores: np.ndarray, vectors: np.ndarray, lengths: Sequence[int], *, words: int | None, most: int
) -> list[int]:
    """Indices in ascending order; one at least.

    Args:
        scores: one a sentence, 0 to 1.
        vectors: one row a sentence, of L2 norm 1.
        lengths: words of each sentence; one without words is chosen only where all are.
        words: about how many are wanted. The sum comes as near as whole sentences allow: one is added as long as
            that takes the sum nearer.
        most: the most sentences.
    """
    length = np.asarray(lengths)
    left = np.flatnonzero(length > 0) if length.any() else np.arange(len(length))
    overlap = np.zeros(len(length), dtype=np.float32)
    chosen: list[int] = []
    used = 0
    while len(chosen) < most and left.size:
        if chosen and words is not None:
            left = left[length[left] < 2 * (words - used)]
            if not left.size:
                break
        gain = scores[left] - OVERLAP * overlap[left]
        best = int(left[gain.argmax()])
        chosen.append(best)
        used += int(length[best])
        left = left[left != best]
        overlap = np.maximum(overlap, np.maximum(vectors @ vectors[best], 0) ** 2)
    return sorted(chosen)
