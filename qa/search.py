"""Search without answering: the passages that a question finds, with every score and what stands around them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from models_service.client import Models
from qa.folding import folded
from qa.index import CollectionGone, CollectionIndex
from qa.rerank import rerank
from qa.retrieve import DEPTH, RetrievedPassage, retrieve
from qa.terms import stem, terms

MOST_RESULTS = 50


@dataclass(frozen=True)
class SearchResult:
    """A passage, how it was found, the question's words that it holds, and its neighbours' texts."""

    retrieved: RetrievedPassage
    words: tuple[str, ...]
    before: str
    after: str


async def search(
    question: str,
    collections: Sequence[tuple[str, CollectionIndex]],
    models: Models,
    *,
    k: int = 10,
    documents: Collection[str] | None = None,
    client: str = "",
) -> list[SearchResult]:
    """The k best passages, near-duplicates folded, in the order in which they would be read for an answer.

    `documents` are the only ones that are searched, where not all are. Errors as `retrieve` says.
    """
    found = await retrieve(question, collections, models, DEPTH, client=client, documents=documents)
    found, _ = await rerank(question, found, models, client=client)
    best = folded(found)[: min(k, MOST_RESULTS)]
    return await asyncio.to_thread(_with_neighbours, question, best, dict(collections))


def _with_neighbours(
    question: str, found: Sequence[RetrievedPassage], indexes: dict[str, CollectionIndex]
) -> list[SearchResult]:
    asked = list(dict.fromkeys(terms(question)))
    results = []
    for retrieved in found:
        try:
            before, after = indexes[retrieved.collection].around(retrieved.passage.id)
        except CollectionGone:
            continue
        held = {stem(word) for word in terms(f"{retrieved.passage.document.title} {retrieved.passage.text}")}
        words = tuple(word for word in asked if stem(word) in held)
        results.append(SearchResult(retrieved, words, before, after))
    return results
