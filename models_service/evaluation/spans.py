"""How well entities are found: a span counts when its label, start and end are all right (as seqeval and CoNLL do).

`precision`, `recall` and `f1_micro` are over all spans; `f1_macro` is the mean of the labels' F1. All from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_service.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
from models_service.evaluation.report import LabelFigures, Labelling
from models_service.formats.entities import Marked, MarkedText

if TYPE_CHECKING:
    from models_service.engines.classifier import ClassifierEngine

CHUNK = 32
"""Texts between two signs of progress."""
Told = dict[str, tuple[int, int, int]]
"""Of one text, by label: spans that are right, given, expected."""


@dataclass(frozen=True)
class Spans:
    """`counts` has for each text and each label of `names` the spans that are right, given, expected."""

    names: list[str]
    counts: np.ndarray


def score(
    engine: ClassifierEngine, rows: Sequence[MarkedText],
    progress: Callable[[int, int], None] = lambda done, of: None,
    keep: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Spans:
    """`keep` is given each text's result."""
    told: list[Told] = []
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        outputs = engine.run([row.text for row in chunk])
        for row, output in zip(chunk, outputs, strict=True):
            given = [Marked(one.start, one.end, one.label) for one in output]
            told.append(compared(row.entities, given))
            keep({"id": row.id, "text": row.text, "expected": _shown(row.text, row.entities),
                  "given": "; ".join(_shown(row.text, given)), "spans": told[-1],
                  "f1_micro": _one(told[-1])})
        progress(len(told), len(rows))
    return spans_of(told)


def compared(expected: Sequence[Marked], given: Sequence[Marked]) -> Told:
    labels = sorted({one.label for one in (*expected, *given)})
    sets = [set(expected), set(given)]
    return {label: (sum(one.label == label for one in sets[0] & sets[1]), sum(one.label == label for one in sets[1]),
                    sum(one.label == label for one in sets[0])) for label in labels}


def spans_of(told: Sequence[Told]) -> Spans:
    names = sorted({label for one in told for label in one})
    counts = np.array([[one.get(name, (0, 0, 0)) for name in names] for one in told], dtype=np.int64)
    return Spans(names, counts.reshape(len(told), len(names), 3))


def spans_kept(rows: Sequence[dict[str, Any]]) -> Spans:
    """From the results that `score` gave away."""
    return spans_of([row["spans"] for row in rows])


def metrics(spans: Spans) -> dict[str, float]:
    """precision, recall, f1_micro, f1_macro; 1 where nothing was to be found and nothing was."""
    return _metrics(spans.counts.sum(axis=0))


def intervals(spans: Spans) -> dict[str, tuple[float, float]]:
    """95 % of each metric, from resampled texts."""
    return _ends([_metrics(spans.counts[drawn].sum(axis=0)) for drawn in _resamples(len(spans.counts))])


def differences(before: Spans, after: Spans) -> dict[str, tuple[float, float, float]]:
    """Of each metric: `after` less `before` on the same texts, and its 95 % interval; both resampled together."""
    whole = _apart(metrics(before), metrics(after))
    resampled = [_apart(*(_metrics(one.counts[drawn].sum(axis=0)) for one in (before, after)))
                 for drawn in _resamples(len(before.counts))]
    return {name: (whole[name], *ends) for name, ends in _ends(resampled).items()}


def labelling(spans: Spans) -> Labelling:
    """Each label's own figures; spans have no confusion matrix."""
    rows = []
    for name, (right, given, expected) in zip(spans.names, spans.counts.sum(axis=0).tolist(), strict=True):
        rows.append(LabelFigures(
            label=name, texts=expected, given=given, precision=round(right / max(given, 1), 4),
            recall=round(right / max(expected, 1), 4), f1=round(2 * right / max(given + expected, 1), 4)))
    return Labelling(labels=rows, confusion=[], reliability=[])


def _metrics(counts: np.ndarray) -> dict[str, float]:
    """Of (labels, 3) counts."""
    right, given, expected = (int(number) for number in counts.sum(axis=0)) if len(counts) else (0, 0, 0)
    there = counts[(counts[:, 1] + counts[:, 2]) > 0]
    nothing = float(not given and not expected)
    return {
        "precision": right / given if given else nothing, "recall": right / expected if expected else nothing,
        "f1_micro": 2 * right / (given + expected) if given + expected else nothing,
        "f1_macro": float((2 * there[:, 0] / (there[:, 1] + there[:, 2])).mean()) if len(there) else nothing,
    }


def _one(told: Told) -> float:
    return round(metrics(spans_of([told]))["f1_micro"], 4)


def _apart(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - value for name, value in before.items()}


def _resamples(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    return [rng.integers(count, size=count) for _ in range(RESAMPLES)]


def _ends(resampled: Sequence[dict[str, float]]) -> dict[str, tuple[float, float]]:
    found = {name: np.quantile([one[name] for one in resampled], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
             for name in resampled[0]}
    return {name: (float(low), float(high)) for name, (low, high) in found.items()}


def _shown(text: str, marked: Sequence[Marked]) -> list[str]:
    return [f"{text[one.start : one.end]} ({one.label})" for one in marked]
