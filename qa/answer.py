"""A question to a cited answer: retrieve, read, choose, check, and say so when the documents do not hold it.

Every sentence of an answer is a range of a stored document, compared with the store before it is sent. Knows no
users and no HTTP: who may ask which collection was decided before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from models_service.client import Models
from models_service.protocol import (
    MAX_QUESTION_CHARACTERS,
    AnswerDone,
    Calibration,
    Citation,
    DeltaEvent,
    SourcesEvent,
    SpanResult,
)
from qa import sentence_match
from qa.candidates import Candidate, candidates
from qa.compose import NotBegun, compose
from qa.followup import Turn, complete
from qa.index import CollectionGone, CollectionIndex
from qa.retrieve import RetrievedPassage, retrieve
from qa.scripts import is_cjk
from qa.sentences import sentences
from qa.verify import StoredTexts, checked

__all__ = ["BadQuestion", "Turn", "answer", "check_question"]

PASSAGES_FOUND = 20
PASSAGES_READ = 10
PASSAGES_TOLD = 8
"""To a generator."""
SPANS_PER_PASSAGE = 3
MOST_CITATIONS = 5
MOST_SENTENCES = 3
ABSTAIN_BELOW = 0.2
"""Confidence. Below it the nearest passages are shown instead of an answer."""
SECOND_SENTENCE_FROM = 0.5
"""Probability. Another sentence is said too when it is this likely and nearly as likely as the best."""
NEARLY = 0.8


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
) -> AsyncIterator[SourcesEvent | DeltaEvent | AnswerDone]:
    """Answer from the documents of `collections`, given as (id, index) pairs; the last event is AnswerDone.

    Closing the generator or cancelling its task stops the work on the model service. A collection that is deleted
    meanwhile is left out.

    Args:
        generate: let the text generator write the answer. Should it fail before its first word, the answer is quoted
            as without one, and `verification["fallback"]` says why.

    Raises:
        BadQuestion: see `check_question`.
        ModelsError: the model service cannot do its part.
        SegmentCorrupt: a collection's index is damaged.
        EncoderMismatch: a collection was read in with another encoder than the one in use.
    """
    clock = _Clock()
    asked = complete(check_question(question), history)[:MAX_QUESTION_CHARACTERS]
    found = await retrieve(asked, collections, models, PASSAGES_FOUND, client=client)
    clock.mark("retrieve_ms")
    fallback: dict[str, str] = {}
    if generate and found:
        told = found[:PASSAGES_TOLD]
        sources = [_source(passage) for passage in told]
        yield SourcesEvent(sources=sources)
        writing = compose(question.strip(), told, history=history, documents=documents, models=models, client=client)
        try:
            async with aclosing(writing) as written:
                async for event in written:
                    if isinstance(event, AnswerDone):
                        clock.mark("write_ms")
                        near = sources[:MOST_CITATIONS] if event.abstained else []
                        nearest = await asyncio.to_thread(checked, near, documents)
                        update = {"question": asked, "nearest": nearest, "timings": clock.timings()}
                        event = event.model_copy(update=update)
                    yield event
            return
        except NotBegun as failure:
            clock.mark("write_ms")
            fallback = {"fallback": failure.problem.message}
    read = [passage for passage in found if _same_script(asked, passage)][:PASSAGES_READ]
    yield SourcesEvent(sources=[_source(passage) for passage in read])
    spans, calibration, method = await _read(asked, read, collections, models, client)
    clock.mark("read_ms")
    ranked = candidates(asked, read, spans, calibration)
    cited = await asyncio.to_thread(_citations, ranked, read, documents)
    confidence = cited[0].score if cited else 0.0
    verification = {"method": method, "quotes_checked": True, **fallback}
    if confidence < ABSTAIN_BELOW:
        near = [_source(passage) for passage in (read or found)[:MOST_CITATIONS]]
        nearest = await asyncio.to_thread(checked, near, documents)
        clock.mark("check_ms")
        yield AnswerDone(
            answer="", abstained=True, confidence=round(confidence, 4), citations=[], nearest=nearest,
            question=asked, verification=verification, timings=clock.timings(),
        )
        return
    said = _to_say(cited)
    cited = said + [citation for citation in cited if citation not in said]
    pieces = []
    for number, citation in enumerate(said, start=1):
        pieces.append(("" if not pieces else "\n\n") + citation.quote)
        yield DeltaEvent(text=pieces[-1], citation=number)
    clock.mark("check_ms")
    best = cited[0]
    yield AnswerDone(
        answer="".join(pieces), span=_span(best), format=_format(said, read),
        abstained=False, confidence=round(confidence, 4), citations=cited, question=asked,
        verification={**verification, **_agreement(ranked)}, timings=clock.timings(),
    )


def _same_script(question: str, retrieved: RetrievedPassage) -> bool:
    """Questions in Chinese are answered from Chinese passages, others from others: no way of reading crosses over."""
    return is_cjk(question) == is_cjk(retrieved.passage.text)


async def _read(
    question: str,
    passages: Sequence[RetrievedPassage],
    collections: Sequence[tuple[str, CollectionIndex]],
    models: Models,
    client: str,
) -> tuple[Sequence[Sequence[SpanResult]], Calibration | None, str]:
    """For each passage its spans; how to weigh them; and which method found them."""
    texts = [retrieved.passage.text for retrieved in passages]
    if not texts:
        return [], None, "none"
    if is_cjk(question):
        weights = await asyncio.to_thread(_rarity, question, collections)
        return sentence_match.best_sentences(weights, texts), sentence_match.CALIBRATION, "word overlap"
    done = await models.read(question, texts, n_best=SPANS_PER_PASSAGE, client=client)
    return done.spans, done.calibration, "reader"


def _rarity(question: str, collections: Sequence[tuple[str, CollectionIndex]]) -> dict[str, float]:
    words = sentence_match.question_terms(question)
    frequencies: dict[str, int] = {}
    passages = 0
    for _, index in collections:
        try:
            own = index.frequencies(words)
            passages += index.count()
        except CollectionGone:
            continue
        for term, count in own.items():
            frequencies[term] = frequencies.get(term, 0) + count
    return sentence_match.rarity(words, frequencies, passages)


def _source(retrieved: RetrievedPassage) -> Citation:
    """A whole passage as a citation with nothing marked."""
    passage = retrieved.passage
    return Citation(
        document=passage.document.id, title=passage.document.title, passage=passage.id, start=passage.start,
        end=passage.end, quote=passage.text, span_start=passage.start, span_end=passage.start,
        score=round(max(0.0, min(1.0, retrieved.dense or 0.0)), 4),
    )


def _citations(
    ranked: Sequence[Candidate], passages: Sequence[RetrievedPassage], documents: StoredTexts
) -> list[Citation]:
    """The sentences of the best candidates, each said once and checked; likeliest first."""
    kept: list[Citation] = []
    for candidate in ranked:
        citation = _sentence_around(candidate, passages[candidate.source])
        if any(_same_place(citation, other) for other in kept):
            continue
        kept += checked([citation], documents)
        if len(kept) == MOST_CITATIONS:
            break
    return [citation for citation in kept if citation.score >= min(ABSTAIN_BELOW, kept[0].score) / 2]


def _sentence_around(candidate: Candidate, retrieved: RetrievedPassage) -> Citation:
    """The candidate's sentence, or sentences when its span crosses a border, within its passage."""
    passage = retrieved.passage
    first, last = candidate.start - passage.start, candidate.end - passage.start
    touched = [(start, end) for start, end in sentences(passage.text) if start < last and end > first]
    start = min([first, *(start for start, _ in touched)])
    end = max([last, *(end for _, end in touched)])
    return Citation(
        document=passage.document.id, title=passage.document.title, passage=passage.id,
        start=passage.start + start, end=passage.start + end, quote=passage.text[start:end],
        span_start=candidate.start, span_end=candidate.end, score=round(candidate.probability, 4),
    )


def _same_place(one: Citation, other: Citation) -> bool:
    return one.quote == other.quote or (
        one.document == other.document and one.start < other.end and other.start < one.end
    )


def _to_say(cited: Sequence[Citation]) -> list[Citation]:
    """The best sentence, and others only when they are nearly as likely and have something else to say."""
    said = [cited[0]]
    spans = {_span(cited[0]).lower()}
    for citation in cited[1:]:
        if len(said) == MOST_SENTENCES or citation.score < max(SECOND_SENTENCE_FROM, NEARLY * cited[0].score):
            break
        if _span(citation).lower() not in spans:
            said.append(citation)
            spans.add(_span(citation).lower())
    return said


def _format(said: Sequence[Citation], read: Sequence[RetrievedPassage]) -> Literal["plain", "markdown"]:
    """Markdown is quoted as its source, to be rendered where it is shown."""
    kinds = {retrieved.passage.document.id: retrieved.passage.document.media_type for retrieved in read}
    return "markdown" if any(kinds[citation.document] == "text/markdown" for citation in said) else "plain"


def _span(citation: Citation) -> str:
    return citation.quote[citation.span_start - citation.start : citation.span_end - citation.start]


def _agreement(ranked: Sequence[Candidate]) -> dict[str, int]:
    """How many other passages state the chosen answer."""
    return {"stated_elsewhere": int(ranked[0].features["support"])}
