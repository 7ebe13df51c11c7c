"""The fitted confidence: made data whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models_service.evaluation.calibration import expected_calibration_error
from models_service.protocol import Calibration
from qa.calibration import FEATURES, Observed, fit, measured
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


def test_what_confidence_is_worth_is_measured_on_texts_that_it_was_not_fitted_on() -> None:
    rng = np.random.default_rng(4)
    seen = [replace(one, paragraph=f"text {number % 12}", without=number % 4 == 0)
            for number, one in enumerate(observed(rng, 600))]
    worth = measured(["made.json"], seen)
    assert (worth.questions, worth.without) == (600, 150)
    assert worth.ece < 0.08 and worth.auroc > 0.6
    assert worth.bars[0].coverage == 1 and worth.bars[-1].coverage < 1
    few_articles = [replace(one, article=f"article {number % 2}") for number, one in enumerate(seen)]
    assert measured(["made.json"], few_articles) == worth, "by their paragraphs"
    assert measured(["made.json"], [replace(one, paragraph="only one") for one in seen]) is None


def test_probability_is_the_logistic_of_the_weighted_sum() -> None:
    calibration = Calibration(weights={"margin": 2.0, "unknown": 5.0}, intercept=-1.0)
    assert probability({"margin": 0.5}, calibration) == pytest.approx(0.5)
    assert probability({"margin": 1e9}, calibration) == pytest.approx(1.0)
