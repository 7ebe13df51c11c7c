"""The texts of a data set as a collection, to measure finding and answering the whole way.

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
AT_ONCE = 512
"""Documents whose passages are encoded in one go, so that a large corpus needs no more memory than its index."""


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

    def added(self, document_id: str) -> float:
        return 0.0


@dataclass(frozen=True)
class Text:
    """A document of the data set."""

    id: str
    title: str
    text: str


async def build(questions: Sequence[Question], models: Models, folder: Path) -> OpenCollection:
    """Cut, embed and index every different paragraph that the questions are about."""
    paragraphs = {question.context: question.title for question in questions}
    gold = {context: f"paragraph-{number}" for number, context in enumerate(paragraphs, start=1)}
    texts = [Text(gold[context], title, context) for context, title in paragraphs.items()]
    index = await indexed(texts, models, folder)
    return OpenCollection(index, {identifier: context for context, identifier in gold.items()}, gold)


async def indexed(texts: Sequence[Text], models: Models, folder: Path) -> CollectionIndex:
    """An index of these documents, cut and embedded as the site does it."""
    index = CollectionIndex.create(folder)
    for begin in range(0, len(texts), AT_ONCE):
        chunk = texts[begin : begin + AT_ONCE]
        cut = [split(one.text) for one in chunk]
        encoded = await models.encode([
            one.text[p.start : p.end] for one, passages in zip(chunk, cut, strict=True) for p in passages
        ])
        done = 0
        for one, passages in zip(chunk, cut, strict=True):
            vectors = encoded.vectors[done : done + len(passages)]
            document = IndexedDocument(one.id, one.title, "text/plain")
            if passages:
                index.publish(document, one.text, passages, vectors, encoded.encoder)
            done += len(passages)
    return index
