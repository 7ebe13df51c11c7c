"""The order that a reranker gives: of the first passages only, none without one, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models_service.errors import ModelsError
from models_service.in_process import InProcessModels
from qa.index import IndexedDocument, IndexedPassage
from qa.rerank import RERANKED, rerank
from qa.retrieve import RetrievedPassage
from tests.models_service.tiny_cross_encoder import save_tiny_cross_encoder


def found(*texts: str) -> list[RetrievedPassage]:
    document = IndexedDocument("document", "Title", "text/plain")
    return [
        RetrievedPassage("c", IndexedPassage(id=number, document=document, start=0, end=len(text), text=text),
                         1 / (1 + number), None, None, None, None)
        for number, text in enumerate(texts)
    ]


def order(passages: Sequence[RetrievedPassage]) -> list[int]:
    return [one.passage.id for one in passages]


async def test_a_reranker_chooses_the_order_and_equal_scores_keep_theirs(tmp_path: Path) -> None:
    likes_bridges = save_tiny_cross_encoder(tmp_path / "likes-bridges", likes="bridge")
    passages = found("The tower.", "A long wall.", "The bridge over the strait.", "A river.")
    async with InProcessModels(reranker=str(likes_bridges)) as models:
        ordered, reranked = await rerank("What was opened?", passages, models)
    assert reranked and order(ordered) == [2, 0, 1, 3]
    assert ordered[0].reranked > ordered[1].reranked


async def test_passages_past_the_first_few_follow_as_they_were(tmp_path: Path) -> None:
    likes_bridges = save_tiny_cross_encoder(tmp_path / "likes-bridges", likes="bridge")
    passages = found(*["A wall."] * (RERANKED + 1), "The bridge.")
    async with InProcessModels(reranker=str(likes_bridges)) as models:
        ordered, _ = await rerank("What?", passages, models)
    assert order(ordered) == list(range(RERANKED + 2)) and ordered[-1].reranked is None


async def test_without_a_reranker_the_order_stays() -> None:
    passages = found("The tower.", "The bridge.")
    async with InProcessModels() as models:
        assert await rerank("What?", passages, models) == (passages, False)


async def test_a_reranker_that_fails_is_no_reason_for_a_question_to_fail(caplog) -> None:
    class Busy(InProcessModels):
        async def rerank(self, *_, **__):
            raise ModelsError("busy", "Too much work.", retryable=True)

    passages = found("The tower.", "The bridge.")
    assert await rerank("What?", passages, Busy()) == (passages, False)
    assert "not reranked: Too much work." in caplog.text
