"""What confidence is worth: hand-computed cases, and scikit-learn's own figure."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models_service.evaluation.calibration import expected_calibration_error, reliability
from qa.confidence import FIGURES_FILE, auroc, figures, precision_coverage, read

CONFIDENCE = [0.9, 0.8, 0.4, 0.1]
RIGHT = [True, False, True, False]


def test_a_higher_bar_answers_less() -> None:
    bars = precision_coverage(CONFIDENCE, RIGHT, (0.0, 0.4, 0.85, 0.95))
    assert [(bar.coverage, bar.precision) for bar in bars] == [(1, 0.5), (0.75, pytest.approx(2 / 3, abs=1e-4)),
                                                               (0.25, 1), (0, None)]


def test_the_steps_of_confidence_hold_every_answer_once() -> None:
    steps = reliability([0.0, 0.05, 0.95, 1.0], [False, True, True, True])
    assert [(step.low, step.high, step.count, step.confidence, step.accuracy) for step in steps] == [
        (0.0, 0.1, 2, 0.025, 0.5), (0.9, 1.0, 2, 0.975, 1.0)]


def test_expected_calibration_error_of_a_hand_computed_case() -> None:
    # half of them at 0.75 of which half are right, half at 0.25 of which none is: 0.5 * 0.25 + 0.5 * 0.25
    assert expected_calibration_error([0.75, 0.75, 0.25, 0.25], [True, False, False, False]) == pytest.approx(0.25)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0


def test_auroc_is_what_scikit_learn_computes_ties_included() -> None:
    rng = np.random.default_rng(5)
    right = rng.random(200) < 0.6
    confidence = np.round(np.clip(rng.normal(0.4 + 0.2 * right, 0.2), 0, 1), 1)
    assert auroc(confidence, right) == pytest.approx(roc_auc_score(right, confidence))
    assert auroc([0.5], [True]) is None


def test_figures_are_kept_beside_a_reader_and_read_again(tmp_path) -> None:
    made = figures(["a.json"], CONFIDENCE, RIGHT, [False, False, False, True])
    assert (made.auroc, made.auroc_known, made.without) == (0.75, 1.0, 1)
    (tmp_path / FIGURES_FILE).write_text(made.model_dump_json())
    assert read(tmp_path) == made
    (tmp_path / FIGURES_FILE).write_text("{}")
    assert read(tmp_path) is None
    assert read(tmp_path / "nowhere") is None
