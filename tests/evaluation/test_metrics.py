"""The metrics against the published SQuAD script's rules and hand-computed cases."""

from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.evaluation import bootstrap, squad
from models_service.evaluation.report import from_examples


def published_normalize(s: str) -> str:
    """`normalize_answer` of the SQuAD v1.1 evaluation script, as its authors published it."""

    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def published_f1(prediction: str, ground_truth: str) -> float:
    prediction_tokens = published_normalize(prediction).split()
    ground_truth_tokens = published_normalize(ground_truth).split()
    common = Counter(prediction_tokens) & Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return (2 * precision * recall) / (precision + recall)


latin = st.text(alphabet=string.ascii_letters + string.digits + string.punctuation + " \n\té", max_size=40)
words = st.lists(st.sampled_from(["the", "a", "An", "cat", "Cat.", "sat", "1,000", "mat", "(on)", "--"]), max_size=8)


@given(st.one_of(latin, words.map(" ".join)), st.one_of(latin, words.map(" ".join)))
def test_em_and_f1_equal_the_published_script_on_text_in_latin_letters(prediction, gold):
    same = published_normalize(prediction) == published_normalize(gold)
    assert squad.exact_match(prediction, [gold]) == float(same)
    assert squad.f1(prediction, [gold]) == pytest.approx(published_f1(prediction, gold))


def test_f1_of_a_hand_computed_case():
    # tokens {barack, obama} against {president, obama}: precision 1/2, recall 1/2
    assert squad.f1("Barack Obama", ["President Obama"]) == pytest.approx(0.5)
    # {in, 1889} against {1889}: precision 1/2, recall 1, so 2/3; the better gold counts
    assert squad.f1("in 1889", ["1999", "1889"]) == pytest.approx(2 / 3)


def test_chinese_is_counted_by_character():
    # 北京市 against 北京: 2 of 3 characters right, 2 of 2 found
    assert squad.f1("北京市", ["北京"]) == pytest.approx(0.8)


def test_a_question_without_answer_is_right_only_when_nothing_is_predicted():
    assert (squad.exact_match("", []), squad.f1("", [])) == (1.0, 1.0)
    assert (squad.exact_match("Paris", []), squad.f1("Paris", [])) == (0.0, 0.0)


def test_the_interval_holds_the_mean_and_narrows_with_more_examples():
    rng = np.random.default_rng(0)
    few, many = rng.random(50) < 0.6, rng.random(5000) < 0.6
    for values in (few, many):
        low, high = bootstrap.interval(values)
        assert low <= values.mean() <= high
    wide, narrow = np.diff(bootstrap.interval(few))[0], np.diff(bootstrap.interval(many))[0]
    # the standard error of a share p over n is sqrt(p(1-p)/n); 95 % is 3.92 of them
    assert narrow == pytest.approx(3.92 * np.sqrt(0.24 / 5000), rel=0.15)
    assert wide > 5 * narrow


def test_the_interval_is_the_same_each_time_and_refuses_nothing_at_all():
    assert bootstrap.interval([0.0, 1.0, 1.0]) == bootstrap.interval([0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="no values"):
        bootstrap.interval([])


def test_a_report_tells_em_in_percent_and_recall_as_a_share():
    values = {"em": [1, 0], "recall@5": [1, 0, 0, 1], "citation_precision": []}
    report = from_examples("openqa", "m", "d", values, 4, 1)
    assert report.metrics == {"em": 50.0, "recall@5": 0.5}
    assert set(report.intervals) == {"em", "recall@5"}
