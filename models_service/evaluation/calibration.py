"""Whether confidence is true: of what a model holds for likely, how much is right (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

BINS = 10
"""Of equal width."""


class Bin(BaseModel):
    """What had a confidence from `low` to `high`: how much that was, its mean confidence, the share that was right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidence: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray) -> list[Bin]:
    """The reliability curve; bins that hold nothing are left out."""
    sure, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    bins = _bins(sure)
    return [
        Bin(low=number / BINS, high=(number + 1) / BINS, count=int(inside.sum()),
            confidence=round(float(sure[inside].mean()), 4), accuracy=round(float(hit[inside].mean()), 4))
        for number in range(BINS) if (inside := bins == number).any()
    ]


def expected_calibration_error(
    confidence: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray
) -> float:
    """The mean distance between confidence and the share that is right, over the bins, weighed by what they hold."""
    sure, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    bins = _bins(sure)
    apart = np.bincount(bins, weights=sure, minlength=BINS) - np.bincount(bins, weights=hit, minlength=BINS)
    return float(np.abs(apart).sum() / len(sure))


def _bins(confidence: np.ndarray) -> np.ndarray:
    return np.minimum((confidence * BINS).astype(int), BINS - 1)
