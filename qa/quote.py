"""An answer in the documents' own words: read the passages, choose among what was read, quote the sentences.

Says so when nothing that was read is likely enough, and shows the nearest passages instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Literal

from models_service.client import Models
from models_service.protocol import AnswerDone, Calibration, Citation, DeltaEvent, SourcesEvent, SpanResult
from qa import sentence_match
from qa.candidates import Candidate, candidates
from qa.citing import MOST_CITATIONS, nearest, source
from qa.contradictions import Version, contradiction
from qa.folding import folded
from qa.index import CollectionGone, CollectionIndex
from qa.narrowing import narrowed
from qa.retrieve import RetrievedPassage, in_script_of
from qa.scripts import is_cjk
from qa.sentences import sentences
from qa.verify import StoredTexts, checked

PASSAGES_READ = 10
SPANS_PER_PASSAGE = 3
MOST_SENTENCES = 3
ABSTAIN_BELOW = 0.2
"""Confidence. Below it the nearest passages are shown instead of an answer, unless another bar is asked for."""
SECOND_SENTENCE_FROM = 0.5
"""Probability. Another sentence is said too when it is this likely and nearly as likely as the best."""
NEARLY = 0.8


async def quote(
    question: str,
    found: Sequence[RetrievedPassage],
    *,
    collections: Sequence[tuple[str, CollectionIndex]],
    documents: StoredTexts,
    models: Models,
    client: str = "",
    abstain_below: float = ABSTAIN_BELOW,
    mark: Callable[[str], None] = lambda stage: None,
) -> AsyncGenerator[SourcesEvent | DeltaEvent | AnswerDone, None]:
    """Answer from the passages that were found; `mark` is told when a stage has ended. Raises ModelsError."""
    read = folded(in_script_of(question, found))[:PASSAGES_READ]
    yield SourcesEvent(sources=[source(passage) for passage in read])
    spans, calibration, method = await _read(question, read, collections, models, client)
    mark("read_ms")
    ranked = candidates(question, read, spans, calibration)
    cited = await asyncio.to_thread(_citations, ranked, read, documents, abstain_below)
    confidence = cited[0].score if cited else 0.0
    verification = {"method": method, "quotes_checked": True}
    if not cited or confidence < abstain_below:
        near = await asyncio.to_thread(nearest, read or found, documents)
        mark("check_ms")
        yield AnswerDone(
            answer="", abstained=True, confidence=confidence, citations=[], nearest=near, verification=verification
        )
        return
    versions = await asyncio.to_thread(contradiction, cited, documents)
    said = [version.citation for version in versions[:MOST_SENTENCES]] or _to_say(cited)
    cited = said + [citation for citation in cited if citation not in said]
    pieces = []
    for number, citation in enumerate(said, start=1):
        pieces.append(("" if not pieces else "\n\n") + citation.quote)
        yield DeltaEvent(text=pieces[-1], citation=number)
    mark("check_ms")
    yield AnswerDone(
        answer="".join(pieces), span=_span(cited[0]), format=_format(said, read), abstained=False,
        confidence=confidence, citations=cited, verification={
            **verification, **_agreement(ranked), **_contradicting(versions),
        },
    )


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
        spans = await asyncio.to_thread(_best_words, question, collections, texts)
        return spans, sentence_match.CALIBRATION, "word overlap"
    done = await models.read(question, texts, n_best=SPANS_PER_PASSAGE, client=client)
    return done.spans, done.calibration, "reader"


def _best_words(
    question: str, collections: Sequence[tuple[str, CollectionIndex]], texts: Sequence[str]
) -> list[list[SpanResult]]:
    """The sentences that share the question's rarest words, and of the likeliest of them what answers."""
    found = sentence_match.best_sentences(_rarity(question, collections), texts)
    return narrowed(question, found, MOST_CITATIONS)


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


def _citations(
    ranked: Sequence[Candidate], passages: Sequence[RetrievedPassage], documents: StoredTexts, abstain_below: float
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
    return [citation for citation in kept if citation.score >= min(abstain_below, kept[0].score) / 2]


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
        also_in=list(retrieved.also_in),
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


def _contradicting(versions: Sequence[Version]) -> dict[str, list[dict[str, Any]]]:
    """What each of the documents that contradict each other says, newest first; the answer quotes them in this order.
    """
    if not versions:
        return {}
    return {"contradicting": [
        {"document": version.citation.document, "title": version.citation.title, "value": version.value,
         "year": version.year} for version in versions
    ]}


def _agreement(ranked: Sequence[Candidate]) -> dict[str, int]:
    """How many other passages state the chosen answer."""
    return {"stated_elsewhere": int(ranked[0].features["support"])}
