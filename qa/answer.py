"""A question to a cited answer: complete it, find passages, and quote them or let a generator write from them.

Every citation is a range of a stored document, compared with the store before it is sent. Knows no users and no HTTP:
who may ask which collection was decided before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from models_service.client import Models
from models_service.protocol import MAX_QUESTION_CHARACTERS, AnswerDone, DeltaEvent, SourcesEvent
from qa import graph_check
from qa.citing import source
from qa.compose import NotBegun, compose
from qa.followup import Turn, complete
from qa.graph_reading import Graph
from qa.index import CollectionIndex
from qa.quote import ABSTAIN_BELOW, PASSAGES_READ, quote
from qa.rerank import rerank
from qa.retrieve import retrieve, retrieve_in_script
from qa.spelling import corrected
from qa.verify import StoredTexts
from qa.worked_out import worked_out

__all__ = ["BadQuestion", "Turn", "answer", "check_question"]

PASSAGES_FOUND = 20
PASSAGES_TOLD = 8
"""To a generator."""


class BadQuestion(ValueError):
    """The question cannot be asked; `message` says what to change."""

    def __init__(self, code: Literal["bad_request", "too_large"], message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_question(text: str) -> str:
    """The question without the white space around it.

    Raises:
        BadQuestion: nothing is asked, or more than MAX_QUESTION_CHARACTERS are.
    """
    question = text.replace("\x00", "").strip()
    if not question:
        raise BadQuestion("bad_request", "The question is empty. Write what you want to know.")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise BadQuestion(
            "too_large",
            f"The question has {len(question):,} characters; at most {MAX_QUESTION_CHARACTERS:,} can be asked. "
            "Put long texts into a collection and ask about them.",
        )
    return question


@dataclass
class _Clock:
    """Milliseconds of each stage."""

    began: float = field(default_factory=time.perf_counter)
    stages: dict[str, float] = field(default_factory=dict)

    def mark(self, stage: str) -> None:
        spent = sum(self.stages.values())
        self.stages[stage] = round((time.perf_counter() - self.began) * 1000 - spent, 2)

    def timings(self) -> dict[str, float]:
        return {**self.stages, "total_ms": round((time.perf_counter() - self.began) * 1000, 2)}


async def answer(
    question: str,
    *,
    collections: Sequence[tuple[str, CollectionIndex]],
    documents: StoredTexts,
    models: Models,
    history: Sequence[Turn] = (),
    client: str = "",
    generate: bool = False,
    graph: Graph | None = None,
    abstain_below: float = ABSTAIN_BELOW,
) -> AsyncIterator[SourcesEvent | DeltaEvent | AnswerDone]:
    """Answer from the documents of `collections`, given as (id, index) pairs; the last event is AnswerDone.

    Closing the generator or cancelling its task stops the work on the model service. A collection that is deleted
    meanwhile is left out.

    Args:
        generate: let the text generator write the answer. Should it fail before its first word, the answer is quoted
            as without one, and `verification["fallback"]` says why.
        graph: a knowledge graph that is compared with the answer, or answers where the documents do not:
            `verification["graph"]` (`qa/graph_check.py`).
        abstain_below: the confidence, 0 to 1, below which an answer in the documents' words is withheld.

    Raises:
        BadQuestion: see `check_question`.
        ModelsError: the model service cannot do its part.
    """
    answering = _from_documents(
        question, collections, documents, models, history, client, generate, abstain_below
    )
    said = False
    async with aclosing(answering) as events:
        async for event in events:
            if graph is not None and isinstance(event, AnswerDone):
                abstained, event = event.abstained, await _with_graph(event, graph, may_answer=not said)
                if abstained and not event.abstained:
                    yield DeltaEvent(text=event.answer)
            said = said or isinstance(event, DeltaEvent)
            yield event


async def _with_graph(done: AnswerDone, graph: Graph, *, may_answer: bool) -> AnswerDone:
    clock = _Clock()
    done = await asyncio.to_thread(graph_check.checked, done, done.question, graph, may_answer=may_answer)
    spent = clock.timings()["total_ms"]
    total = round(done.timings.get("total_ms", 0.0) + spent, 2)
    return done.model_copy(update={"timings": {**done.timings, "graph_ms": spent, "total_ms": total}})


async def _from_documents(
    question: str, collections: Sequence[tuple[str, CollectionIndex]], documents: StoredTexts, models: Models,
    history: Sequence[Turn], client: str, generate: bool, abstain_below: float,
) -> AsyncGenerator[SourcesEvent | DeltaEvent | AnswerDone, None]:
    clock = _Clock()
    asked = complete(check_question(question), history)[:MAX_QUESTION_CHARACTERS]
    find = retrieve if generate else retrieve_in_script
    found = await find(asked, collections, models, PASSAGES_FOUND, client=client)
    clock.mark("retrieve_ms")
    found, reranked = await rerank(asked, found, models, client=client)
    if reranked:
        clock.mark("rerank_ms")
    more: dict[str, str] = {}
    if generate and found:
        told = found[:PASSAGES_TOLD]
        yield SourcesEvent(sources=[source(passage) for passage in told])
        writing = compose(question.strip(), told, history=history, documents=documents, models=models, client=client)
        try:
            async with aclosing(writing) as events:
                async for event in events:
                    if isinstance(event, AnswerDone):
                        clock.mark("write_ms")
                        event = _completed(event, asked, clock, more)
                    yield event
            return
        except NotBegun as failure:
            clock.mark("write_ms")
            more = {"fallback": failure.problem.message}
    done = await worked_out(asked, found, collections=collections, documents=documents, models=models, client=client)
    if done is not None and done.confidence >= abstain_below:
        clock.mark("work_out_ms")
        yield SourcesEvent(sources=[source(passage) for passage in found[:PASSAGES_READ]])
        for number, citation in enumerate(done.citations, start=1):
            yield DeltaEvent(text=("" if number == 1 else "\n\n") + citation.quote, citation=number)
        yield _completed(done, asked, clock, more)
        return
    quoting = quote(
        asked, found, collections=collections, documents=documents, models=models, client=client,
        abstain_below=abstain_below, mark=clock.mark,
    )
    async with aclosing(quoting) as events:
        async for event in events:
            if isinstance(event, AnswerDone) and event.abstained:
                asked, rest = await _spelt_right(
                    asked, event, collections, documents, models, client, abstain_below, clock
                )
            else:
                rest = [event]
            for one in rest:
                yield _completed(one, asked, clock, more) if isinstance(one, AnswerDone) else one


async def _spelt_right(
    asked: str, abstained: AnswerDone, collections: Sequence[tuple[str, CollectionIndex]], documents: StoredTexts,
    models: Models, client: str, abstain_below: float, clock: _Clock,
) -> tuple[str, list[SourcesEvent | DeltaEvent | AnswerDone]]:
    """The question without its slips and what it is answered with, where that is an answer; else what was before."""
    respelt = await asyncio.to_thread(corrected, asked, collections)
    if respelt == asked:
        return asked, [abstained]
    found = await retrieve_in_script(respelt, collections, models, PASSAGES_FOUND, client=client)
    found, _ = await rerank(respelt, found, models, client=client)
    events = [event async for event in quote(
        respelt, found, collections=collections, documents=documents, models=models, client=client,
        abstain_below=abstain_below,
    )]
    clock.mark("respell_ms")
    if isinstance(events[-1], AnswerDone) and not events[-1].abstained:
        return respelt, events
    return asked, [abstained]


def _completed(done: AnswerDone, asked: str, clock: _Clock, more: dict[str, str]) -> AnswerDone:
    return done.model_copy(update={
        "question": asked, "timings": clock.timings(), "confidence": round(done.confidence, 4),
        "verification": {**done.verification, **more},
    })
