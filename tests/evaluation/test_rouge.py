"""ROUGE: as the reference implementation gives it, by hand, of several references, and in other scripts."""

from __future__ import annotations

import pytest
from rouge_score.rouge_scorer import RougeScorer

from models_service.evaluation import rouge

REAL = [
    ("We introduce a method to train Quantized Neural Networks with extremely low precision weights.",
     ["We propose a training method for neural networks with quantised weights, at run-time.",
      "A method for training networks of low precision."]),
    ("The bridge, opened in 1973, was closed in March. Its cables had rusted through.",
     ["Rusting cables closed the bridge in March 2004. It had been opened 31 years before."]),
    ("Nothing in common here.", ["Totally different words!"]),
    ("", ["A reference."]),
]


@pytest.mark.parametrize(("summary", "references"), REAL)
def test_the_measures_equal_those_of_the_reference_implementation(summary: str, references: list[str]) -> None:
    plain = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    found = rouge.scores([summary], references)
    for name in ("rouge1", "rouge2", "rougeL"):
        assert found[name] == max(plain.score(reference, summary)[name].fmeasure for reference in references)
        if name in (quick := rouge.quick_scores([summary], references)):
            assert quick[name] == found[name]
    assert rouge.of_sentence(summary, references) == {name: found[name] for name in ("rouge1", "rouge2", "rougeL")}


def test_the_measures_of_a_case_worked_by_hand() -> None:
    """4 of 5 and 4 of 6 words are shared, 2 of 4 and 2 of 5 pairs; in order are the, cat, the, mat."""
    found = rouge.scores(["the cat on the mat"], ["the cat lay by the mat"])
    assert found["rouge1"] == pytest.approx(2 * 4 / (5 + 6))
    assert found["rouge2"] == pytest.approx(2 * 2 / (4 + 5))
    assert found["rougeL"] == found["rougeLsum"] == pytest.approx(2 * 4 / (5 + 6))


def test_sentences_in_another_order_lose_nothing_in_rougelsum_alone() -> None:
    """Each sentence is looked for by itself there."""
    one, other = "It rained in Paris all of Sunday.", "Snow fell on every mountain nearby."
    found = rouge.scores([other, one], [f"{one} {other}"])
    assert found["rouge1"] == found["rougeLsum"] == 1
    assert found["rougeL"] < 0.6


def test_of_several_references_the_nearest_counts() -> None:
    references = ["Something else entirely.", "The cable broke."]
    assert rouge.scores(["The cable broke."], references)["rouge1"] == 1
    assert rouge.scores(["The cable broke."], references[:1])["rouge1"] == 0


@pytest.mark.parametrize(("same", "half"), [
    ("这座桥于1973年开通。", "这座桥很长很高。"), ("Мост открыли весной.", "Мост закрыли осенью."),
])
def test_other_scripts_are_measured_by_their_own_words_or_characters(same: str, half: str) -> None:
    assert rouge.scores([same], [same])["rouge1"] == 1
    assert 0 < rouge.scores([half], [same])["rouge1"] < 1
