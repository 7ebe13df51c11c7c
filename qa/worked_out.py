"""Answers that are worked out instead of being read: comparisons and tables.

Each place is quoted; what was concluded from several is `span`, and `verification["worked_out"]` says how. None where
the question is no such one, or the documents do not hold all that it needs: it is read for as any other then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing

from models_service.client import Models
from models_service.protocol import MAX_QUESTION_CHARACTERS, AnswerDone, Citation
from qa.citing import MOST_CITATIONS
from qa.comparing import Comparison, comparison, decide
from qa.document_store import DocumentMissing
from qa.index import CollectionIndex
from qa.quote import quote
from qa.rerank import rerank
from qa.retrieve import RetrievedPassage, retrieve_in_script
from qa.table_answers import TableAnswer, compared, from_tables, may_ask_a_table
from qa.table_cells import asks_for_a_cell, cell_asked_for
from qa.tables import Row, may_hold_rows
from qa.terms import stem, terms
from qa.verify import StoredTexts, checked

PASSAGES_FOUND = 20
DOCUMENTS_LOOKED_AT = 4
LONGEST_TEXT = 3_000_000
"""Characters that are looked through for tables, all documents together; half a second's work."""
SURE_FROM = 0.4
"""Confidence. Two answers that are compared must each be better than a guess."""
TABLE_CONFIDENCE = 0.9
"""Not calibrated: a table answers only where it accounts for each word of the question."""

_PRONOUN = re.compile(r"(?i)\W*(?:it|he|she|they|its|his|her|their|this|these)\b")

Collections = Sequence[tuple[str, CollectionIndex]]


async def worked_out(
    question: str, found: Sequence[RetrievedPassage], *, collections: Collections, documents: StoredTexts,
    models: Models, client: str = "",
) -> AnswerDone | None:
    """The whole answer, its `question` and `timings` the caller's. Raises ModelsError."""
    two = comparison(question)
    if two is not None:
        by_table = await asyncio.to_thread(_compared_in_table, two, found, documents)
        return by_table or await _compared(two, collections, documents, models, client)
    return await asyncio.to_thread(_from_tables, question, found, documents)


async def _compared(
    asked: Comparison, collections: Collections, documents: StoredTexts, models: Models, client: str
) -> AnswerDone | None:
    answers = [
        await _of_one(asked.asked_of(thing), thing, collections, documents, models, client)
        for thing in (asked.one, asked.other)
    ]
    one, other = answers
    if one is None or other is None:
        return None
    chosen = decide(asked, _valued(one), _valued(other))
    if chosen is None:
        return None
    cited = [one.citations[0], other.citations[0]]
    if chosen != asked.one:
        cited.reverse()
    values = {asked.one: one.span, asked.other: other.span}
    return _done(
        chosen, cited, round(one.confidence * other.confidence, 4), "comparison",
        {"values": [{"of": each, "value": values[each]} for each in sorted(values, key=lambda one: one != chosen)]},
    )


def _valued(done: AnswerDone) -> str:
    """The value with what follows it in its sentence, where its unit may stand."""
    first = done.citations[0]
    after = first.quote[first.span_end - first.start :][:20]
    return done.span + after.split("|")[0]


async def _of_one(
    question: str, thing: str, collections: Collections, documents: StoredTexts, models: Models, client: str
) -> AnswerDone | None:
    """The same question of one of the two things, read in passages that name it and said in a sentence that does."""
    question = question[:MAX_QUESTION_CHARACTERS]
    found = await retrieve_in_script(question, collections, models, PASSAGES_FOUND, client=client)
    found, _ = await rerank(question, found, models, client=client)
    wanted = {stem(word) for word in terms(thing)}
    naming = [one for one in found if wanted <= _stems(f"{one.passage.document.title} {one.passage.text}")]
    last = None
    async with aclosing(quote(question, naming, collections=collections, documents=documents, models=models,
                              client=client)) as events:
        async for event in events:
            last = event
    if not isinstance(last, AnswerDone) or last.abstained or last.confidence < SURE_FROM:
        return None
    said = last.citations[0]
    names = wanted <= _stems(f"{said.title} {said.quote}") or _PRONOUN.match(said.quote)
    return last if names else None


def _stems(text: str) -> set[str]:
    return {stem(word) for word in terms(text)}


def _texts(found: Sequence[RetrievedPassage], documents: StoredTexts) -> list[tuple[str, str, str]]:
    """(id, title, text) of the first few documents found, and of the first few of which rows of a table were."""
    titles = {each.passage.document.id: each.passage.document.title for each in found}
    with_rows = dict.fromkeys(each.passage.document.id for each in found if may_hold_rows(each.passage.text))
    looked_at = {*list(titles)[:DOCUMENTS_LOOKED_AT], *list(with_rows)[:DOCUMENTS_LOOKED_AT]}
    texts = []
    left = LONGEST_TEXT
    for identifier in filter(looked_at.__contains__, titles):
        try:
            text = documents.slice(identifier, 0, left)
        except DocumentMissing:
            continue
        texts.append((identifier, titles[identifier], text))
        left -= len(text)
    return texts


def _compared_in_table(
    asked: Comparison, found: Sequence[RetrievedPassage], documents: StoredTexts
) -> AnswerDone | None:
    texts = _texts(found, documents)
    both = compared(asked.one, asked.other, asked.word, texts)
    if both is None:
        return None
    answer, values = both
    names = (answer.answer, asked.other if answer.answer.lower() in asked.one.lower() else asked.one)
    how = {"values": [{"of": name, "value": value} for name, value in zip(names, values, strict=True)]}
    return _of_rows(answer, texts, found, documents, how)


def _from_tables(question: str, found: Sequence[RetrievedPassage], documents: StoredTexts) -> AnswerDone | None:
    if may_ask_a_table(question):
        texts = _texts(found, documents)
        answer = from_tables(question, texts)
        if answer is not None:
            return _of_rows(answer, texts, found, documents, {"rows": len(answer.rows), "of": answer.of})
    barred = {each.passage.document.id for each in found if "|" in each.passage.text}
    if barred and asks_for_a_cell(question):
        texts = [text for text in _texts(found, documents) if text[0] in barred]
        return _from_cell(question, texts, found, documents)
    return None


def _from_cell(
    question: str, texts: Sequence[tuple[str, str, str]], found: Sequence[RetrievedPassage], documents: StoredTexts
) -> AnswerDone | None:
    cell = cell_asked_for(question, texts)
    if cell is None:
        return None
    text = next(text for identifier, _, text in texts if identifier == cell.document)
    row = _row(cell.document, cell.row, text, found).model_copy(
        update={"span_start": cell.start, "span_end": cell.end})
    cited = checked([row], documents)
    return AnswerDone(
        answer=row.quote, span=text[cell.start : cell.end], abstained=False, confidence=TABLE_CONFIDENCE,
        citations=cited, verification={"method": "table", "quotes_checked": True},
    ) if cited else None


def _of_rows(
    answer: TableAnswer, texts: Sequence[tuple[str, str, str]], found: Sequence[RetrievedPassage],
    documents: StoredTexts, how: dict,
) -> AnswerDone | None:
    text = next(text for identifier, _, text in texts if identifier == answer.document)
    rows = answer.rows[:MOST_CITATIONS]
    cited = checked([_row(answer.document, row, text, found) for row in rows], documents)
    return _done(answer.answer, cited, TABLE_CONFIDENCE, answer.kind, how) if cited else None


def _row(document: str, row: Row, text: str, found: Sequence[RetrievedPassage]) -> Citation:
    own = [each.passage for each in found if each.passage.document.id == document]
    holding = next((passage for passage in own if passage.start <= row.start and row.end <= passage.end), own[0])
    return Citation(
        document=document, title=holding.document.title, passage=holding.id, start=row.start, end=row.end,
        quote=text[row.start : row.end], span_start=row.start, span_end=row.start, score=TABLE_CONFIDENCE,
    )


def _done(span: str, cited: list[Citation], confidence: float, method: str, how: dict) -> AnswerDone:
    return AnswerDone(
        answer="\n\n".join(citation.quote for citation in cited), span=span, abstained=False, confidence=confidence,
        citations=cited, verification={
            "method": method, "quotes_checked": True, "worked_out": {"kind": method, "answer": span, **how},
        },
    )
