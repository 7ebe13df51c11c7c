from __future__ import annotations

import pytest
from hypothesis import given

from qa.sentences import sentences
from tests.qa.texts import HARD, texts, visible


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(texts)
def test_each_visible_character_lies_in_exactly_one_sentence(text: str):
    found = sentences(text)
    held = [i for start, end in found for i in range(start, end)]
    assert held == sorted(set(held))
    assert visible(text) <= set(held)


@given(texts)
def test_sentences_begin_and_end_with_something_visible(text: str):
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in sentences(text))


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
@pytest.mark.timeout(60)
def test_a_hard_text_is_read_in_linear_time(text: str):
    found = sentences(text)
    assert sum(end - start for start, end in found) >= len(text.replace("\n", "").replace(" ", "").strip()) * 0.5


@pytest.mark.parametrize(("text", "expected"), [
    ("It rained. We stayed.", ["It rained.", "We stayed."]),
    ("Dr. Smith met Mrs. Jones in the U.S. Navy.", ["Dr. Smith met Mrs. Jones in the U.S. Navy."]),
    ("Bring pens, ink, etc. Then wait.", ["Bring pens, ink, etc.", "Then wait."]),
    ("See fig. 3 and p. 12 there.", ["See fig. 3 and p. 12 there."]),
    ("It is 3.14 metres. 7 remain.", ["It is 3.14 metres.", "7 remain."]),
    ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
    ("Rome fell.[12] Others rose.", ["Rome fell.[12]", "Others rose."]),
    ("Wait… Then go on.", ["Wait…", "Then go on."]),
    ("Really?! Yes.", ["Really?!", "Yes."]),
    ("what? no, nothing", ["what? no, nothing"]),
    ("长城有多长？它很长。", ["长城有多长？", "它很长。"]),
    ("他说：“走吧。”然后离开了。", ["他说：“走吧。”", "然后离开了。"]),
    ("真的吗?是的!好", ["真的吗?", "是的!", "好"]),
    ("a!b is not c?d", ["a!b is not c?d"]),
    ("The line is\nwrapped here.", ["The line is\nwrapped here."]),
    ("# Title\nBody text here.", ["# Title", "Body text here."]),
    ("- one\n- two", ["- one", "- two"]),
    ("1. First do this\n2. Then that", ["1. First do this", "2. Then that"]),
    ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
    ("One paragraph\n\nand another", ["One paragraph", "and another"]),
    ("", []),
    (" \n\t ", []),
])
def test_sentences_of(text: str, expected: list[str]):
    assert cut(text) == expected
