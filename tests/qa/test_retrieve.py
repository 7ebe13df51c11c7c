from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models_service.client import Encoded
from qa.index import CollectionIndex
from qa.retrieve import fuse, retrieve, search
from tests.qa.publisher import publish_texts, vector_of


def collection(folder: Path, **documents: list[str]) -> CollectionIndex:
    index = CollectionIndex.create(folder)
    for name, pieces in documents.items():
        publish_texts(index, name, pieces)
    return index


@pytest.fixture
def rivers(tmp_path: Path) -> CollectionIndex:
    return collection(tmp_path / "rivers", nile=["The Nile flows north."], rhine=["The Rhine flows to the sea."])


@pytest.fixture
def towers(tmp_path: Path) -> CollectionIndex:
    eiffel, wall = ["The Eiffel Tower stands in Paris."], ["长城建于明朝。", "故宫在北京。"]
    return collection(tmp_path / "towers", eiffel=eiffel, wall=wall)


def documents(found) -> list[str]:
    return [passage.passage.document.id for passage in found]


def test_fusing_sums_the_weighted_reciprocal_ranks():
    a, b, c, d = (("x", i) for i in range(4))
    fused = fuse((1.0, [a, b, c]), (2.0, [c, d]))
    # with the constant 3: a 1/4; b 1/5; c 1/6 + 2/4; d 2/5
    assert [key for key, _ in fused] == [c, d, a, b]
    assert [score for _, score in fused] == pytest.approx([1 / 6 + 1 / 2, 2 / 5, 1 / 4, 1 / 5])


def test_equal_ranks_keep_the_order_they_were_given_in():
    assert [key for key, _ in fuse((1.0, [("x", 7)]), (1.0, [("x", 3)]))] == [("x", 7), ("x", 3)]


def test_passages_of_several_collections_are_ranked_together(rivers: CollectionIndex, towers: CollectionIndex):
    question = "Where does the Eiffel Tower stand?"
    found = search(question, vector_of("The Nile flows north."), [("r", rivers), ("t", towers)], 3)
    assert documents(found)[:2] == ["eiffel", "nile"]
    eiffel, nile = found[:2]
    assert (eiffel.collection, eiffel.bm25_rank) == ("t", 1)
    assert (nile.collection, nile.dense_rank, nile.bm25_rank, nile.bm25) == ("r", 1, None, None)
    assert nile.dense == pytest.approx(1, abs=1e-5)
    assert len(found) == 3
    assert [p.fused for p in found] == sorted((p.fused for p in found), reverse=True)


def test_without_a_vector_words_alone_decide(rivers: CollectionIndex, towers: CollectionIndex):
    found = search("Which river flows north?", None, [("r", rivers), ("t", towers)], 5)
    assert documents(found) == ["nile", "rhine"]
    assert all(p.dense is None and p.dense_rank is None for p in found)


@pytest.mark.parametrize("question", ["长城是什么时候建的？", "請問長城在哪里？长城", "谁建的长城"])
def test_a_chinese_question_finds_what_it_is_about(towers: CollectionIndex, question: str):
    assert [p.passage.text for p in search(question, None, [("t", towers)], 1)] == ["长城建于明朝。"]


def test_a_question_of_question_words_alone_finds_nothing_by_words(towers: CollectionIndex):
    assert search("这是什么？谁？", None, [("t", towers)], 5) == []


def test_a_collection_deleted_meanwhile_is_left_out(rivers: CollectionIndex, towers: CollectionIndex):
    rivers.remove()
    found = search("Eiffel Tower or Nile", vector_of("x"), [("r", rivers), ("t", towers)], 9)
    assert {p.collection for p in found} == {"t"}


def test_a_document_deleted_between_finding_and_reading_is_left_out(rivers: CollectionIndex, monkeypatch):
    words = rivers.bm25

    def delete_then_answer(query: str, k: int, wanted: None) -> list[tuple[int, float]]:
        found = words(query, k)
        rivers.delete("nile")
        return found

    monkeypatch.setattr(rivers, "bm25", delete_then_answer)
    assert documents(search("Nile flows", vector_of("x"), [("r", rivers)], 9)) == ["rhine"]


class OneVector:
    """The model service, as far as retrieval asks for it: it keeps the questions that it embedded."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], str]] = []

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        self.asked.append((list(texts), client))
        return Encoded(np.stack([vector_of("The Nile flows north.") for _ in texts]), "one@v1")


async def test_the_question_is_embedded_once_for_all_collections(rivers: CollectionIndex, towers: CollectionIndex):
    models = OneVector()
    found = await retrieve("Which way?", [("r", rivers), ("t", towers)], models, 1, client="c1")
    assert documents(found) == ["nile"]
    assert models.asked == [(["Which way?"], "c1")]


async def test_without_collections_nothing_is_embedded_and_nothing_found():
    models = OneVector()
    assert await retrieve("Which way?", [], models) == []
    assert models.asked == []
