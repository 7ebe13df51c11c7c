"""Confidence intervals by the percentile bootstrap (Efron 1979): how much a figure would move on other questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95
SEED = 13


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of per-example `values`, from 1,000 seeded resamples.

    Raises:
        ValueError: there are no values.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not sample.size:
        raise ValueError("no values to resample")
    rng = np.random.default_rng(SEED)
    means = np.array([sample[rng.integers(sample.size, size=sample.size)].mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def paired(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Mean of `after` less mean of `before` over the same examples, and its 95 % interval.

    Resampling examples, each with both values, lets what is hard for both cancel out (Koehn 2004).

    Raises:
        ValueError: there are no values, or not as many on both sides.
    """
    if len(before) != len(after):
        raise ValueError("the two sides were not measured on the same examples")
    differences = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    return float(differences.mean()) if differences.size else 0.0, *interval(differences)
