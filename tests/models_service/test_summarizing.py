"""Summarizing by chosen sentences: how many, how long, in which order, and over the socket."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service import model_files
from models_service.client import ModelService
from models_service.engines.choosing import choose
from models_service.errors import ModelsError
from models_service.in_process import InProcessModels
from models_service.registry import STARTER
from models_service.words import count_words
from tests.models_service.conftest import ServiceProcess

TEXT = [
    "A new bridge for the strait",
    "The city council decided on Monday to build a new bridge over the strait, which will cost 300 million.",
    "The weather was fine.",
    "The old bridge over the strait, opened in 1931, is to be closed because its cables have rusted through.",
    "Councillor Ann Lee said that she was glad.",
    "Building will begin in March and take four years.",
    "The council decided on Monday that a new bridge over the strait is to be built, at a cost of 300 million.",
]


@pytest.fixture(scope="module")
def models() -> Iterator[InProcessModels]:
    yield InProcessModels()


async def test_the_sentences_of_a_summary_come_in_the_order_of_the_text(models: InProcessModels) -> None:
    done = await models.summarize(TEXT, words=60)
    indices = [one.index for one in done.chosen]
    assert indices == sorted(set(indices)) and len(done.scores) == len(TEXT)
    assert [one.score for one in done.chosen] == [done.scores[index] for index in indices]
    assert (done.model, done.version) == ("wenda-summarizer", "starter")


async def test_what_is_said_twice_is_chosen_once_and_a_heading_is_no_sentence(models: InProcessModels) -> None:
    done = await models.summarize(TEXT)
    indices = {one.index for one in done.chosen}
    assert len(indices) == 3 and 0 not in indices
    assert len(indices & {1, 6}) == 1, "both say what the council decided"


async def test_no_more_sentences_come_than_are_wanted(models: InProcessModels) -> None:
    for wanted in (1, 2, 5):
        assert len((await models.summarize(TEXT, sentences_wanted=wanted)).chosen) == wanted
    assert len((await models.summarize(TEXT, sentences_wanted=99)).chosen) <= len(TEXT)
    assert len((await models.summarize(TEXT, words=1000, sentences_wanted=2)).chosen) == 2


@pytest.mark.parametrize("text", [
    ["One sentence alone."], [""], ["", ""], ["***"], ["word " * 3000], ["桥于1973年开通。", "全长1560米。"],
    ["Мост открыли в 1973 году.", "Он длинный."], ["same"] * 20, ["🙂", "\x00", "‮abc"],
])
async def test_any_text_has_a_summary_of_its_own_sentences(models: InProcessModels, text: list[str]) -> None:
    for words in (None, 1, 10):
        done = await models.summarize(text, words=words)
        assert done.chosen and all(0 <= one.index < len(text) for one in done.chosen)
        assert all(0 <= score <= 1 for score in done.scores)


async def test_two_thousand_sentences_are_taken_and_one_more_is_not(models: InProcessModels) -> None:
    text = [f"Sentence {number} is about the number {number}." for number in range(2000)]
    done = await models.summarize(text, words=100)
    assert len(done.scores) == 2000
    assert abs(sum(count_words(text[one.index]) for one in done.chosen) - 100) <= 7
    for bad in ([*text, "One more."], []):
        with pytest.raises(ModelsError) as caught:
            await models.summarize(bad)
        assert caught.value.code == "bad_request"


lengths = st.lists(st.integers(0, 40), min_size=1, max_size=30)


@given(lengths, st.integers(1, 200), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_summary_is_as_near_to_the_wanted_words_as_its_last_sentence_allows(
    lengths: list[int], words: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(len(lengths), 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = choose(rng.random(len(lengths)), vectors, lengths, words=words, most=len(lengths))
    assert chosen and chosen == sorted(set(chosen))
    used = sum(lengths[index] for index in chosen)
    left = [length for index, length in enumerate(lengths) if index not in chosen and length]
    assert used <= words or len(chosen) == 1 or used - words <= max(lengths[index] for index in chosen) / 2
    assert used >= words or not any(abs(used + length - words) < abs(used - words) for length in left)


@pytest.mark.parametrize(("text", "words"), [
    ("", 0), ("...", 0), ("One, two — three!", 3), ("state-of-the-art", 1), ("It's 3.14 km.", 3), ("我爱北京。", 4),
    ("用 Python 写", 3), ("naïve Straße", 2),
])
def test_words_are_counted_as_a_reader_would(text: str, words: int) -> None:
    assert count_words(text) == words


async def test_the_service_summarizes_over_the_socket_as_this_process_does(
    service: ServiceProcess, models: InProcessModels
) -> None:
    async with ModelService([service.url]) as remote:
        there = await remote.summarize(TEXT, words=40, client="7")
        with pytest.raises(ModelsError) as caught:
            await remote.summarize([])
    here = await models.summarize(TEXT, words=40)
    assert [one.index for one in there.chosen] == [one.index for one in here.chosen]
    assert (there.model, there.version) == ("wenda-summarizer", "starter")
    assert caught.value.code == "bad_request"


def test_a_scorer_is_known_as_a_summarizer_and_its_encoder_counts_as_memory() -> None:
    folder = STARTER / "summarizer"
    assert model_files.kind_of(folder) == "summarizer"
    assert model_files.weight_bytes(folder) > 4 * 22_000_000
