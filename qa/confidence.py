"""What a reader's confidence is worth: how often answers of each confidence are right, and what a bar costs.

`confidence.json` beside a reader keeps this, measured on questions that its calibration was not fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from models_service.evaluation.calibration import Bin, expected_calibration_error, reliability

FIGURES_FILE = "confidence.json"
BARS = tuple(round(0.05 * step, 2) for step in range(20))
"""The confidences below which the site may be told to say that it does not know: 0 to 0.95."""


class Bar(BaseModel):
    """Were nothing said below the confidence `bar`: `coverage`, the share of questions that are answered, and
    `precision`, the share of those answers that are right; None when nothing is answered. Both 0 to 1."""

    bar: float
    coverage: float
    precision: float | None


class Figures(BaseModel):
    """`questions` were asked, `without` of them with the paragraph that answers them taken away, so that no answer is
    right. `ece`: expected calibration error. `auroc`: how well confidence tells right from wrong answers;
    `auroc_known`: how well answerable questions from the others; None where there is one kind only."""

    data: list[str]
    questions: int
    without: int
    bars: list[Bar]
    steps: list[Bin]
    ece: float
    auroc: float | None
    auroc_known: float | None


def figures(
    data: Sequence[str], confidence: Sequence[float], right: Sequence[bool], without: Sequence[bool]
) -> Figures:
    """Of one answer a question: how sure it was, whether it was right, whether its paragraph was taken away."""
    known = [not each for each in without]
    return Figures(
        data=list(data), questions=len(confidence), without=sum(map(bool, without)),
        bars=precision_coverage(confidence, right), steps=reliability(confidence, right),
        ece=round(expected_calibration_error(confidence, right), 4), auroc=_rounded(auroc(confidence, right)),
        auroc_known=_rounded(auroc(confidence, known)),
    )


def read(folder: Path) -> Figures | None:
    """What is kept beside the reader in `folder`; None when nothing is, or nothing that can be read."""
    try:
        return Figures.model_validate_json((folder / FIGURES_FILE).read_bytes())
    except (OSError, ValueError):
        return None


def precision_coverage(
    confidence: Sequence[float], right: Sequence[bool], bars: Sequence[float] = BARS
) -> list[Bar]:
    p, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    found = []
    for bar in bars:
        said = p >= bar
        precision = round(float(hit[said].mean()), 4) if said.any() else None
        found.append(Bar(bar=bar, coverage=round(float(said.mean()), 4), precision=precision))
    return found


def auroc(confidence: Sequence[float], right: Sequence[bool]) -> float | None:
    """The chance that a right answer has the higher confidence of a right and a wrong one.

    The Mann-Whitney statistic, ties counted half; None when all are right or all are wrong.
    """
    p, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    if hit.all() or not hit.any():
        return None
    higher, lower = p[hit], p[~hit]
    return float((higher[:, None] > lower[None, :]).mean() + 0.5 * (higher[:, None] == lower[None, :]).mean())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
