"""How far two models' figures part that were measured on the same rows, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models_service.evaluation import bootstrap, classification, spans
from models_service.evaluation.report import PERCENT

Intervals = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Difference:
    """Of one metric: the second model's less the first's, in the metric's own unit, and its 95 % interval."""

    before: float
    after: float
    difference: float
    low: float
    high: float


def differences(
    before: tuple[Mapping[str, float], Intervals, Sequence[Mapping[str, Any]]],
    after: tuple[Mapping[str, float], Intervals, Sequence[Mapping[str, Any]]],
    *, labelling: str = "",
) -> dict[str, Difference]:
    """Of each metric; empty when the two were not measured on the same rows.

    Both are (metrics, intervals, each row's result). A metric that no row has by itself, such as BLEU, is compared by
    the ends of its two intervals, which is wider. `labelling` is a classifier's task, "classification" or
    "token-classification": averages over labels no row has by itself either, so the rows' labels are resampled.
    """
    (metrics, intervals, one), (new_metrics, new_intervals, other) = before, after
    if [row["id"] for row in one] != [row["id"] for row in other]:
        return {}
    if labelling:
        apart = (spans.differences(spans.spans_kept(one), spans.spans_kept(other))
                 if labelling == "token-classification" else
                 classification.differences(classification.labels_kept(one), classification.labels_kept(other)))
        return {name: Difference(metrics[name], new_metrics[name], *(round(value, 4) for value in values))
                for name, values in apart.items()}
    found = {}
    for name in metrics:
        pairs = [(a[name], b[name]) for a, b in zip(one, other, strict=True)
                 if a.get(name) is not None and b.get(name) is not None]
        if pairs:
            found[name] = _paired(pairs, 100 if name in PERCENT else 1)
        elif name in intervals and name in new_intervals:
            (low, high), (new_low, new_high) = intervals[name], new_intervals[name]
            was, now = metrics[name], new_metrics[name]
            shift = (now - was, new_low - high, new_high - low)
            found[name] = Difference(was, now, *(round(value, 4) for value in shift))
    return found


def _paired(pairs: list[tuple[float, float]], scale: int) -> Difference:
    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    values = (sum(before) / len(before), sum(after) / len(after), *bootstrap.paired(before, after))
    return Difference(*(round(scale * value, 4) for value in values))
