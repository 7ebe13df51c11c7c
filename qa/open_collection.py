"""The paragraphs of a question answering data set as a collection, to measure the whole way of an answer.

Each paragraph is one document, so that "was the gold paragraph found" has a plain meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models_service.client import Models
from models_service.formats.squad import Question
from qa.index import CollectionIndex, IndexedDocument
from qa.passages import split
from qa.structure import NOTHING_KNOWN, Structure

NAME = "data"


@dataclass(frozen=True)
class OpenCollection:
    """`gold` gives a question's paragraph (by its text) the document id that it became."""

    index: CollectionIndex
    texts: dict[str, str]
    gold: dict[str, str]

    def slice(self, document_id: str, start: int, end: int) -> str:
        return self.texts[document_id][start:end]

    def structure(self, document_id: str) -> Structure:
        return NOTHING_KNOWN


async def build(questions: Sequence[Question], models: Models, folder: Path) -> OpenCollection:
    """Cut, embed and index every different paragraph that the questions are about."""
    index = CollectionIndex.create(folder)
    paragraphs = {question.context: question.title for question in questions}
    gold = {context: f"paragraph-{number}" for number, context in enumerate(paragraphs, start=1)}
    cut = {context: split(context) for context in paragraphs}
    pieces = [context[p.start : p.end] for context, passages in cut.items() for p in passages]
    encoded = await models.encode(pieces)
    done = 0
    for context, title in paragraphs.items():
        passages = cut[context]
        document = IndexedDocument(gold[context], title, "text/plain")
        vectors = encoded.vectors[done : done + len(passages)]
        index.publish(document, context, passages, vectors, encoded.encoder)
        done += len(passages)
    return OpenCollection(index, {identifier: context for context, identifier in gold.items()}, gold)
