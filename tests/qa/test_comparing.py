"""Comparisons are taken apart into one question of each thing, and their values compared in one unit."""

from __future__ import annotations

import pytest

from qa.comparing import comparison, date, decide, quantities


@pytest.mark.parametrize(
    ("question", "one", "other", "asked"),
    [
        ("Which is older, the Corran Bridge or the Glen Viaduct?", "the Corran Bridge", "the Glen Viaduct",
         "When was the Corran Bridge built, founded, opened or born?"),
        ("Which bridge opened first: Corran Bridge or Ferry Bridge?", "Corran Bridge", "Ferry Bridge",
         "When was Corran Bridge opened?"),
        ("Is the Nile longer than the Rhine?", "the Nile", "the Rhine", "How long is the Nile?"),
        ("Which city has more inhabitants, Leeds or London?", "Leeds", "London",
         "How many inhabitants does Leeds have?"),
        ("Who was born earlier, Mary Finch or Thomas Arrol?", "Mary Finch", "Thomas Arrol",
         "When was Mary Finch born?"),
        ("Which of the two is heavier, a cat or a dog?", "a cat", "a dog", "How heavy is a cat?"),
    ],
)
def test_a_comparison_is_taken_apart(question, one, other, asked):
    found = comparison(question)
    assert (found.one, found.other, found.asked_of(found.one)) == (one, other, asked)


@pytest.mark.parametrize(
    "question",
    ["Who designed the Corran Bridge?", "How long is the Rhine?", "Is it red or green?", "Tea or tea?", "谁更老？"],
)
def test_other_questions_are_none(question):
    assert comparison(question) is None


@pytest.mark.parametrize(
    ("question", "one", "other", "chosen"),
    [
        ("Which is older, A or B?", "opened in 1889", "in May 1904", "A"),
        ("Which is newer, A or B?", "opened in 1889", "in May 1904", "B"),
        ("Which is longer, A or B?", "600 m", "5 km", "B"),
        ("Which is longer, A or B?", "655", "238 m", "A"),
        ("Which is cheaper, A or B?", "1.2 million euros", "900,000 euros", "B"),
        ("Which is longer, A or B?", "3 kg", "5 km", None),
        ("Which is older, A or B?", "long ago", "1904", None),
        ("Which is older, A or B?", "1904", "1904", None),
    ],
)
def test_the_values_decide(question, one, other, chosen):
    assert decide(comparison(question), one, other) == chosen


def test_dates_before_christ_and_months_are_in_order():
    assert date("300 BC") < date("in 12 centuries, 1066") < date("March 1904") < date("December 1904")
    assert date("the 19th century") == 1850


def test_a_unit_that_is_said_once_holds_for_both():
    assert quantities("5 km", "7") == (5, 7)
