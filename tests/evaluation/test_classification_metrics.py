"""Figures of classifiers: against scikit-learn's, and cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from models_service.engines.labelling import Labelled
from models_service.evaluation import calibration, classification
from models_service.formats.files import FormatError
from models_service.formats.labelled import LabelledText


def found(*shares: float, names: str = "abc") -> list[Labelled]:
    given = [Labelled(name, share) for name, share in zip(names, shares, strict=False)]
    return sorted(given, key=lambda one: -one.score)


HAND = classification.labels_of(
    ["a", "a", "a", "b", "b", "c"],
    [found(.9, .05, .05), found(.8, .1, .1), found(.3, .6, .1), found(.2, .7, .1), found(.1, .8, .1),
     found(.5, .3, .2)],
)
"""Of three a's one is taken for b; the c is taken for an a."""


def test_a_case_worked_by_hand() -> None:
    told = classification.metrics(HAND)
    # precision: a 2/3, b 2/3, c never given; recall: a 2/3, b 1, c 0; F1: a 2/3, b 4/5, c 0
    assert told["accuracy"] == told["f1_micro"] == pytest.approx(4 / 6)
    assert told["precision"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert told["recall"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert told["f1_macro"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    nats = -sum(map(math.log, (.9, .8, .3, .7, .8, .2))) / 6
    assert told["cross_entropy"] == pytest.approx(nats)
    # bins: .9 right; .8 .8 both right; .7 right; .6 wrong; .5 wrong
    assert told["ece"] == pytest.approx((.1 + .2 + .2 + .3 + .6 + .5) / 6)


def test_what_was_taken_for_what_is_told_label_by_label() -> None:
    told = classification.labelling(HAND)
    assert [one.label for one in told.labels] == ["a", "b", "c"]
    assert told.confusion == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert [(one.texts, one.given) for one in told.labels] == [(3, 3), (2, 3), (1, 0)]
    assert (told.labels[2].precision, told.labels[2].recall, told.labels[2].f1) == (0, 0, 0)
    assert [(one.low, one.count, one.confidence, one.accuracy) for one in told.reliability][-1] == (.9, 1, .9, 1)


def drawn(seed: int, texts: int) -> tuple[list[str], list[list[Labelled]], np.ndarray]:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([.7, 1, 2], size=texts)
    return list(rng.choice(list("abc"), size=texts)), [found(*row) for row in shares], shares


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), texts=st.integers(2, 60))
def test_the_figures_equal_scikit_learn_s(seed: int, texts: int) -> None:
    expected, outputs, shares = drawn(seed, texts)
    taken = [output[0].label for output in outputs]
    labels = classification.labels_of(expected, outputs)
    told = classification.metrics(labels)
    names = sorted({*expected, *taken})
    precision, recall, f1, _ = precision_recall_fscore_support(expected, taken, average="macro", zero_division=0)
    micro = precision_recall_fscore_support(expected, taken, average="micro", zero_division=0)[2]
    assert told["accuracy"] == pytest.approx(accuracy_score(expected, taken))
    assert (told["precision"], told["recall"], told["f1_macro"]) == pytest.approx((precision, recall, f1))
    assert told["f1_micro"] == pytest.approx(micro)
    assert told["cross_entropy"] == pytest.approx(log_loss(expected, shares, labels=list("abc")))
    told_apart = classification.labelling(labels)
    assert told_apart.confusion == confusion_matrix(expected, taken, labels=names).tolist()
    own = precision_recall_fscore_support(expected, taken, labels=names, zero_division=0)
    for one, *values in zip(told_apart.labels, *own, strict=True):
        assert (one.precision, one.recall, one.f1, one.texts) == pytest.approx(values, abs=6e-5)
    right = np.array(expected) == np.array(taken)
    accuracy, confidence = calibration_curve(right, shares.max(1), n_bins=calibration.BINS)
    assert [(one.accuracy, one.confidence) for one in told_apart.reliability] == [
        pytest.approx(pair, abs=6e-5) for pair in zip(accuracy, confidence, strict=True)]
    weighed = sum(one.count * abs(one.accuracy - one.confidence) for one in told_apart.reliability) / texts
    assert told["ece"] == pytest.approx(weighed, abs=2e-4)


def test_each_figure_lies_in_its_interval_which_is_narrower_for_more_texts() -> None:
    few, many = (classification.labels_of(*drawn(1, texts)[:2]) for texts in (40, 400))
    told, wide, narrow = classification.metrics(many), classification.intervals(few), classification.intervals(many)
    for name, (low, high) in narrow.items():
        assert low <= told[name] <= high or name == "ece", "resampling adds to a calibration error"
        assert high - low < wide[name][1] - wide[name][0]


def test_two_models_on_the_same_texts_are_compared_pair_by_pair() -> None:
    expected, outputs, _ = drawn(3, 300)
    before = classification.labels_of(expected, outputs)
    assert set(classification.differences(before, before).values()) == {(0, 0, 0)}
    right = [found(.9, .05, .05, names=label + "xy") if place % 2 else output
             for place, (label, output) in enumerate(zip(expected, outputs, strict=True))]
    after = classification.labels_of(expected, right)
    told = [classification.metrics(labels) for labels in (before, after)]
    for name, (difference, low, high) in classification.differences(before, after).items():
        assert low < difference < high and difference == pytest.approx(told[1][name] - told[0][name])
        assert low > 0 or name in ("cross_entropy", "ece")


def test_a_label_that_the_model_does_not_know_is_wrong_and_none_that_it_knows_is_an_error() -> None:
    labels = classification.labels_of(["z", "a"], [found(.6, .4), found(.9, .1)])
    told = classification.metrics(labels)
    assert told["accuracy"] == 0.5 and told["cross_entropy"] == pytest.approx(-(math.log(1e-12) + math.log(.9)) / 2)
    with pytest.raises(FormatError, match="it gives a, b; the data has z"):
        classification.check_labels(["a", "b"], [LabelledText("1", "text", "z")])
