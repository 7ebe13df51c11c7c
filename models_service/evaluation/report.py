"""What an evaluation gives: one object, the same for every task, for people, programs and the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from models_service.evaluation import bootstrap
from models_service.evaluation.calibration import Bin

PERCENT = frozenset(("em", "f1", "rouge1", "rouge2", "rougeL", "rougeLsum", "bleu", "chrf"))
"""Metrics told from 0 to 100; the others from 0 to 1."""
SHARES = frozenset(("accuracy", "precision", "recall", "f1_macro", "f1_micro", "ece", "recall@1", "recall@5",
                    "recall@20", "mrr", "ndcg@10"))
"""Of those from 0 to 1 the ones that a model is judged by when it labels or finds; a point of one is 0.01."""


class Figures(BaseModel):
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]


class LabelFigures(BaseModel):
    """`texts` have the label, to `given` the model gave it."""

    label: str
    texts: int
    given: int
    precision: float
    recall: float
    f1: float


class Labelling(BaseModel):
    """`confusion` has a row a label expected and a column a label given, in the order of `labels`."""

    labels: list[LabelFigures]
    confusion: list[list[int]]
    reliability: list[Bin]


class Report(BaseModel):
    task: str
    model: str
    data: str = Field(description="the file's name")
    n: int = Field(description="examples evaluated")
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]] = Field(description="95 % bootstrap intervals of the metrics")
    seconds: float
    baselines: dict[str, Figures] | None = Field(None, description="of simpler ways, on the same data")
    labelling: Labelling | None = Field(None, description="of a classifier: each label, what was taken for what")
    signature: str | None = Field(None, description="of the metric's library, where another program can repeat it")


def from_examples(
    task: str, model: str, data: str, values: Mapping[str, Sequence[float]], n: int, seconds: float
) -> Report:
    """Mean and interval of each metric from its per-example `values`, 0 to 1 each.

    A metric may be defined on some examples only, such as precision on those that were answered; without any it is
    left out.
    """
    own = figures(values)
    return Report(task=task, model=model, data=data, n=n, metrics=own.metrics, intervals=own.intervals,
                  seconds=round(seconds, 1))


def figures(values: Mapping[str, Sequence[float]]) -> Figures:
    """As `from_examples` describes."""
    metrics, intervals = {}, {}
    for name, own in values.items():
        if not len(own):
            continue
        scale = 100 if name in PERCENT else 1
        low, high = bootstrap.interval(own)
        metrics[name] = round(scale * sum(own) / len(own), 4)
        intervals[name] = (round(scale * low, 4), round(scale * high, 4))
    return Figures(metrics=metrics, intervals=intervals)
