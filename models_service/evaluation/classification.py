"""How well texts are labelled: accuracy, macro and micro averages, cross-entropy, calibration, the confusion matrix.

Every text has one label, and a model gives each label a share. Precision, recall and `f1_macro` are means over the
labels that the data has or the model gave, each counting the same (as scikit-learn's average="macro"); of one label a
text, micro averages of precision, recall and F1 are all the accuracy. `cross_entropy` is in nats a text. `ece` is the
expected calibration error: how far the share of the label given is from how often it is right (`calibration.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_service.engines.labelling import Labelled
from models_service.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
from models_service.evaluation.calibration import expected_calibration_error, reliability
from models_service.evaluation.report import LabelFigures, Labelling
from models_service.formats.files import FormatError
from models_service.formats.labelled import LabelledText

if TYPE_CHECKING:
    from models_service.engines.classifier import ClassifierEngine

LEAST_SHARE = 1e-12
"""A label that the model does not know has this share, so that the cross-entropy stays a number."""
CHUNK = 64
"""Texts between two signs of progress."""


@dataclass(frozen=True)
class Labels:
    """What was expected and given of each text, as indices of `names`. `shares` are of the expected label,
    `confidences` of the one given, 0 to 1."""

    names: list[str]
    expected: np.ndarray
    given: np.ndarray
    shares: np.ndarray
    confidences: np.ndarray

    @property
    def is_right(self) -> np.ndarray:
        return self.expected == self.given


def score(
    engine: ClassifierEngine, rows: Sequence[LabelledText],
    progress: Callable[[int, int], None] = lambda done, of: None,
    keep: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Labels:
    """`keep` is given each text's result. Raises FormatError when the model knows no label of the data."""
    check_labels(engine.labels, rows)
    found: list[list[Labelled]] = []
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        outputs = engine.run([row.text for row in chunk])
        for row, output in zip(chunk, outputs, strict=True):
            share = _share(output, row.label)
            keep({"id": row.id, "text": row.text, "expected": [row.label], "given": output[0].label,
                  "score": round(output[0].score, 4), "accuracy": float(output[0].label == row.label),
                  "cross_entropy": round(-float(np.log(share)), 6)})
        found += outputs
        progress(len(found), len(rows))
    return labels_of([row.label for row in rows], found)


def check_labels(known: Sequence[str], rows: Sequence[LabelledText]) -> None:
    """Raises FormatError when none of the rows' labels is known."""
    there = {row.label for row in rows}
    if not there & set(known):
        shown = [", ".join(sorted(names)[:10]) for names in (set(known), there)]
        raise FormatError(f"the model gives none of the data's labels: it gives {shown[0]}; the data has {shown[1]}")


def labels_of(expected: Sequence[str], found: Sequence[Sequence[Labelled]]) -> Labels:
    """From each text's label and what a model gave, likeliest first."""
    shares = [_share(output, label) for output, label in zip(found, expected, strict=True)]
    return _labels(expected, [output[0].label for output in found], shares, [output[0].score for output in found])


def labels_kept(rows: Sequence[dict[str, Any]]) -> Labels:
    """From the results that `score` gave away."""
    return _labels([row["expected"][0] for row in rows], [row["given"] for row in rows],
                   [np.exp(-row["cross_entropy"]) for row in rows], [row["score"] for row in rows])


def _labels(
    expected: Sequence[str], given: Sequence[str], shares: Sequence[float], confidences: Sequence[float]
) -> Labels:
    names = sorted({*expected, *given})
    place = {name: index for index, name in enumerate(names)}
    return Labels(names, np.array([place[name] for name in expected]), np.array([place[name] for name in given]),
                  np.array(shares), np.array(confidences))


def _share(output: Sequence[Labelled], label: str) -> float:
    return max(next((one.score for one in output if one.label == label), 0.0), LEAST_SHARE)


def metrics(labels: Labels) -> dict[str, float]:
    """accuracy, precision, recall, f1_macro, f1_micro, cross_entropy, ece."""
    return _metrics(labels, np.arange(len(labels.expected)))


def intervals(labels: Labels) -> dict[str, tuple[float, float]]:
    """95 % of each metric, from resampled texts."""
    return _quantiles([_metrics(labels, drawn) for drawn in _resamples(len(labels.expected))])


def differences(before: Labels, after: Labels) -> dict[str, tuple[float, float, float]]:
    """Of each metric: `after` less `before` on the same texts, and its 95 % interval. Both are resampled together, so
    that what is hard for both cancels out (Koehn 2004)."""
    whole, *apart = [_apart(_metrics(before, drawn), _metrics(after, drawn))
                     for drawn in (np.arange(len(before.expected)), *_resamples(len(before.expected)))]
    return {name: (whole[name], *ends) for name, ends in _quantiles(apart).items()}


def _apart(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - value for name, value in before.items()}


def labelling(labels: Labels) -> Labelling:
    """What stands behind the metrics: each label's own figures, the confusion matrix and the reliability bins."""
    counts = _confusion(labels, np.arange(len(labels.expected)))
    precision, recall, f1 = _of_labels(counts)
    return Labelling(
        labels=[LabelFigures(label=name, texts=int(counts[i].sum()), given=int(counts[:, i].sum()),
                             precision=round(float(precision[i]), 4), recall=round(float(recall[i]), 4),
                             f1=round(float(f1[i]), 4)) for i, name in enumerate(labels.names)],
        confusion=counts.tolist(),
        reliability=reliability(labels.confidences, labels.is_right),
    )


def _metrics(labels: Labels, chosen: np.ndarray) -> dict[str, float]:
    counts = _confusion(labels, chosen)
    precision, recall, f1 = (_macro(values, counts) for values in _of_labels(counts))
    accuracy = float(labels.is_right[chosen].mean())
    return {"accuracy": accuracy, "precision": precision, "recall": recall, "f1_macro": f1, "f1_micro": accuracy,
            "cross_entropy": float(-np.log(labels.shares[chosen]).mean()),
            "ece": expected_calibration_error(labels.confidences[chosen], labels.is_right[chosen])}


def _confusion(labels: Labels, chosen: np.ndarray) -> np.ndarray:
    """A row a label expected, a column a label given."""
    size = len(labels.names)
    pairs = labels.expected[chosen] * size + labels.given[chosen]
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def _of_labels(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1 of each label; 0 where a label was never given, or is not there."""
    right, there, given = np.diag(counts), counts.sum(1), counts.sum(0)
    return (right / np.maximum(given, 1), right / np.maximum(there, 1), 2 * right / np.maximum(there + given, 1))


def _macro(values: np.ndarray, counts: np.ndarray) -> float:
    return float(values[(counts.sum(1) + counts.sum(0)) > 0].mean())


def _macro_f1(labels: Labels, chosen: np.ndarray) -> float:
    counts = _confusion(labels, chosen)
    return _macro(_of_labels(counts)[2], counts)


def _resamples(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    return [rng.integers(count, size=count) for _ in range(RESAMPLES)]


def _quantiles(resampled: Sequence[dict[str, float]]) -> dict[str, tuple[float, float]]:
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    found = {name: np.quantile([one[name] for one in resampled], ends) for name in resampled[0]}
    return {name: (float(low), float(high)) for name, (low, high) in found.items()}
