from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given

from qa.passages import LARGEST_COST, MAX_PASSAGE_CHARACTERS, Passage, split
from qa.scripts import count_cjk
from tests.qa.texts import HARD, texts, visible


def covered(passages: list[Passage]) -> set[int]:
    return {i for p in passages for i in range(p.start, p.end)}


@given(texts)
def test_passages_hold_every_visible_character(text: str):
    assert visible(text) <= covered(split(text))


@given(texts)
def test_passages_lie_in_the_text_and_begin_and_end_with_something_visible(text: str):
    for passage in split(text):
        assert 0 <= passage.start < passage.end <= len(text)
        assert text[passage.start : passage.end] == text[passage.start : passage.end].strip()


@given(texts)
def test_no_passage_is_larger_than_the_limit(text: str):
    for passage in split(text):
        piece = text[passage.start : passage.end]
        assert len(piece) <= MAX_PASSAGE_CHARACTERS
        assert len(piece) + 2 * count_cjk(piece) <= LARGEST_COST


@given(texts)
def test_passages_are_in_order_and_each_goes_further_than_the_one_before(text: str):
    for before, after in itertools.pairwise(split(text)):
        assert before.start < after.start
        assert before.end < after.end


@given(texts)
def test_cutting_the_same_text_again_gives_the_same_passages(text: str):
    assert split(text) == split(text)


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
@pytest.mark.timeout(60)
def test_a_hard_text_is_cut_in_linear_time(text: str):
    passages = split(text)
    assert passages[0].start == 0
    assert passages[-1].end == len(text.rstrip())
    assert max(p.end - p.start for p in passages) <= MAX_PASSAGE_CHARACTERS


@pytest.mark.parametrize("mark", ["e\u0301", "👩\u200d👩\u200d👧", "✌\ufe0f"], ids=["accent", "family", "selector"])
def test_a_long_run_is_not_cut_inside_what_is_seen_as_one_character(mark: str):
    text = "x" + mark * 1500
    for passage in split(text)[1:]:
        first = text[passage.start]
        assert unicodedata.category(first)[0] != "M"
        assert "\u200d" not in text[passage.start - 1 : passage.start + 1]


def test_neighbours_within_a_section_share_a_sentence():
    text = " ".join(f"Sentence number {i} tells of a river and of the stones in it." for i in range(60))
    passages = split(text)
    assert len(passages) > 3
    for before, after in itertools.pairwise(passages):
        assert after.start < before.end
        assert text[after.start : before.end].endswith(".")


def test_a_heading_opens_the_passage_of_its_section_and_nothing_is_shared_across_it():
    section = " ".join(["A sentence that fills the section with words about rivers."] * 10)
    text = f"# One\n\n{section}\n\n# Two\n\n{section}"
    passages = split(text)
    assert [text[p.start : p.start + 5] for p in passages] == ["# One", "# Two"]
    assert passages[0].end <= passages[1].start


def test_a_short_text_is_one_passage():
    assert split("  One sentence. \n") == [Passage(2, 15)]


def test_an_empty_text_has_no_passages():
    assert split(" \n ") == []


def test_a_paragraph_a_little_over_the_target_stays_whole():
    paragraph = " ".join(["Sixty characters of a sentence that says nothing much at all."] * 16)
    assert 720 < len(paragraph) <= LARGEST_COST
    assert split(paragraph) == [Passage(0, len(paragraph))]
