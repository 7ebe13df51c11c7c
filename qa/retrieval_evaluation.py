"""Evaluate retrieval: each query is searched for among all documents, and where the relevant ones stand is measured.

Through `retrieve` and `rerank`, as a question on the site: a document's rank is that of its best passage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models_service.client import Models
from models_service.evaluation import ranking
from models_service.formats.beir import Query, RetrievalData
from qa.answer import MAX_QUESTION_CHARACTERS
from qa.index import CollectionIndex
from qa.open_collection import NAME, Text, indexed
from qa.rerank import rerank
from qa.retrieve import DEPTH, retrieve

RECALL_DEPTHS = (1, 5, 20)
NDCG_DEPTH = 10
SHOWN_CHARACTERS = 300
"""Of a document, in the results row by row."""


async def evaluate(
    data: RetrievalData,
    models: Models,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    keep: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, list[float]]:
    """Per-query values of recall@k, mrr (0 where none of the passages found is of a relevant document) and ndcg@10.

    The documents are indexed in `folder`, which is new; `keep` is given each query's result. Raises ModelsError.
    """
    texts = [Text(identifier, "", text) for identifier, text in data.documents.items()]
    index = await indexed(texts, models, folder)
    values: dict[str, list[float]] = defaultdict(list)
    for number, query in enumerate(data.queries, start=1):
        found = await _ranking(query, data.documents, index, models)
        own = {f"recall@{depth}": ranking.recall(found, query.grades, depth) for depth in RECALL_DEPTHS}
        own |= {"mrr": ranking.reciprocal_rank(found, query.grades),
                f"ndcg@{NDCG_DEPTH}": ranking.ndcg(found, query.grades, NDCG_DEPTH)}
        for name, value in own.items():
            values[name].append(value)
        keep({"id": query.id, "asked": query.text, "expected": _shown(data, [
            name for name, grade in query.grades.items() if grade > 0 and name in data.documents
        ]), "given": next(iter(_shown(data, found[:1])), ""), **own})
        if number % 20 == 0 or number == len(data.queries):
            progress(number, len(data.queries))
    return dict(values)


def _shown(data: RetrievalData, names: list[str]) -> list[str]:
    return [data.documents[name][:SHOWN_CHARACTERS] for name in names]


async def _ranking(query: Query, documents: dict[str, str], index: CollectionIndex, models: Models) -> list[str]:
    """The documents found, each once, best first; not the query itself, which some corpora hold under its own id."""
    text = query.text[:MAX_QUESTION_CHARACTERS]
    found, _ = await rerank(text, await retrieve(text, [(NAME, index)], models, DEPTH), models)
    ranked = dict.fromkeys(passage.passage.document.id for passage in found)
    itself = query.id in ranked and documents[query.id].strip() == query.text.strip()
    return [document for document in ranked if not (itself and document == query.id)]
