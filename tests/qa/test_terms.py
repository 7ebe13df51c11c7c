from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.terms import STOP_WORDS, terms
from tests.qa.texts import HARD


@pytest.mark.parametrize(("text", "expected"), [
    ("When was the Eiffel Tower built?", ["eiffel", "tower", "built"]),
    ("snake_case and C3PO", ["snake", "case", "c3po"]),
    ("图书馆", ["图书", "书馆"]),
    ("水", ["水"]),
    ("长城是什么时候建的？", ["长城", "建"]),
    ("为什么下雨", ["下雨"]),
    ("这本书的作者是谁", ["这本", "本书", "作者"]),
    ("GPU有多少显存", ["gpu", "有", "显存"]),
    ("２０１３年", ["2013", "年"]),
    ("ﬁne", ["fine"]),
    ("谁？什么？", []),
    ("", []),
])
def test_terms_of(text: str, expected: list[str]):
    assert terms(text) == expected


@given(st.text())
def test_no_term_is_empty_a_stop_word_or_has_white_space(text: str):
    for term in terms(text):
        assert term
        assert term not in STOP_WORDS
        assert not any(character.isspace() or character == '"' for character in term)


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
@pytest.mark.timeout(60)
def test_a_hard_text_is_read_in_linear_time(text: str):
    assert sum(map(len, terms(text))) <= 2 * len(text)
