"""The fitted confidence: made data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from models_service.protocol import Calibration
from qa.calibration import FEATURES, Observed, expected_calibration_error, fit
from qa.candidates import Candidate, probability


def observed(rng: np.random.Generator, questions: int) -> list[Observed]:
    """Three candidates a question; each is right with the chance that its margin gives it."""
    seen = []
    for _ in range(questions):
        made, right = [], []
        for source in range(3):
            features = dict.fromkeys(FEATURES, 0.0) | {"margin": float(rng.normal(0, 3)), "first": 1 / (1 + source)}
            chance = 1 / (1 + np.exp(-(0.8 * features["margin"] - 1)))
            made.append(Candidate(source, "x", 0, 1, features, 0.0))
            right.append(bool(rng.random() < chance))
        seen.append(Observed(made, right))
    return seen


def test_confidence_fitted_on_some_questions_is_true_of_others() -> None:
    rng = np.random.default_rng(3)
    fitted = fit(observed(rng, 1500))
    best = []
    for one in observed(rng, 1500):
        chances = [probability(candidate.features, fitted) for candidate in one.candidates]
        chosen = int(np.argmax(chances))
        best.append((chances[chosen], one.right[chosen]))
    probabilities, right = zip(*best, strict=True)
    assert expected_calibration_error(probabilities, right) < 0.05
    assert fitted.weights["margin"] > 0


def test_data_in_which_nothing_is_right_cannot_be_fitted() -> None:
    candidate = Candidate(0, "x", 0, 1, dict.fromkeys(FEATURES, 0.0), 0.0)
    with pytest.raises(ValueError, match="right and wrong answers are both needed"):
        fit([Observed([candidate], [False])] * 10)


def test_expected_calibration_error_of_a_hand_computed_case() -> None:
    # half of them at 0.75 of which half are right, half at 0.25 of which none is: 0.5 * 0.25 + 0.5 * 0.25
    assert expected_calibration_error([0.75, 0.75, 0.25, 0.25], [True, False, False, False]) == pytest.approx(0.25)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0


def test_probability_is_the_logistic_of_the_weighted_sum() -> None:
    calibration = Calibration(weights={"margin": 2.0, "unknown": 5.0}, intercept=-1.0)
    assert probability({"margin": 0.5}, calibration) == pytest.approx(0.5)
    assert probability({"margin": 1e9}, calibration) == pytest.approx(1.0)
