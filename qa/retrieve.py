"""Find the passages that a question may be answered from: meaning (dense) and words (BM25), fused by rank."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from models_service.client import Models
from models_service.protocol import AlsoIn
from qa.index import CollectionGone, CollectionIndex, IndexedPassage
from qa.index_encoder import EncoderMismatch
from qa.scripts import is_cjk
from qa.segments import SegmentCorrupt

log = logging.getLogger(__name__)

RANK_CONSTANT = 3
WORD_WEIGHT = 1.25
DEPTH = 50
"""Of weighted reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009, who took 60 and no weights): what the word
ranking counts more than the dense one, and how far each goes before they are fused. Chosen on the training half of
SQuADShifts' Wikipedia, of which fusing the first 20 by 60 found less; it held on the other half.
"""


@dataclass(frozen=True)
class RetrievedPassage:
    """A passage and how it was found. Ranks count from 1, None when that search did not find it.

    `fused` is the reciprocal-rank sum that the order comes from; `dense` a cosine, `bm25` unbounded. `reranked` is
    the reranker's score, where one gave another order (`rerank.py`).
    """

    collection: str
    passage: IndexedPassage
    fused: float
    dense: float | None
    dense_rank: int | None
    bm25: float | None
    bm25_rank: int | None
    reranked: float | None = None
    also_in: tuple[AlsoIn, ...] = ()
    """Where near-duplicates of it lie (`folding.py`)."""


@dataclass(frozen=True)
class _Found:
    """What one collection's two searches gave, as (passage id, score)."""

    dense: list[tuple[int, float]]
    bm25: list[tuple[int, float]]


async def retrieve(
    question: str,
    collections: Sequence[tuple[str, CollectionIndex]],
    models: Models,
    k: int = 20,
    *,
    client: str = "",
    documents: Collection[str] | None = None,
) -> list[RetrievedPassage]:
    """The k best passages of all collections, given as (id, index) pairs, best first.

    A question in Chinese is searched by its words alone: the starter encoder knows none of them, and on CMRC 2018 its
    ranking took recall@1 from 0.98 to 0.91.

    `documents` are the only ones that are searched, where not all are. A collection that is deleted meanwhile is left
    out; one whose vectors are of another encoder, or damaged, is searched by its words alone until it is mended
    (`mending.py`). Errors of the model service pass through.
    """
    if not collections:
        return []
    if is_cjk(question):
        return await asyncio.to_thread(search, question, None, collections, k, "", documents)
    encoded = await models.encode([question], client=client)
    return await asyncio.to_thread(search, question, encoded.vectors[0], collections, k, encoded.encoder, documents)


async def retrieve_in_script(
    question: str, collections: Sequence[tuple[str, CollectionIndex]], models: Models, k: int, *, client: str = ""
) -> list[RetrievedPassage]:
    """The k best in the question's script, for whatever reads no other; of all, where none is.

    To the starter encoder all passages in another script are alike, and many at once crowd the readable ones out.
    """
    found = await retrieve(question, collections, models, DEPTH, client=client)
    return (in_script_of(question, found) or found)[:k]


def in_script_of(question: str, found: Sequence[RetrievedPassage]) -> list[RetrievedPassage]:
    """Questions in Chinese are answered from Chinese passages, others from others: no way of reading crosses over."""
    return [each for each in found if is_cjk(each.passage.text) == is_cjk(question)]


def search(
    question: str,
    vector: np.ndarray | None,
    collections: Sequence[tuple[str, CollectionIndex]],
    k: int,
    encoder: str = "",
    documents: Collection[str] | None = None,
) -> list[RetrievedPassage]:
    """`retrieve` for a question that `encoder` has embedded already; by words alone when `vector` is None."""
    found = {}
    depth = max(k, DEPTH)
    for name, index in collections:
        try:
            dense = _dense(index, vector, depth, encoder, documents) if vector is not None else []
            found[name] = _Found(dense, index.bm25(question, depth, documents))
        except CollectionGone:
            continue
    dense = _ranked([((name, i), score) for name, one in found.items() for i, score in one.dense], depth)
    bm25 = _ranked([((name, i), score) for name, one in found.items() for i, score in one.bm25], depth)
    fused = fuse((1.0, list(dense)), (WORD_WEIGHT, list(bm25)))[:k]
    passages = _load([key for key, _ in fused], dict(collections))
    return [
        RetrievedPassage(
            key[0], passages[key], score,
            dense[key][0] if key in dense else None, dense[key][1] if key in dense else None,
            bm25[key][0] if key in bm25 else None, bm25[key][1] if key in bm25 else None,
        )
        for key, score in fused
        if key in passages
    ]


def _dense(
    index: CollectionIndex, vector: np.ndarray, depth: int, encoder: str, documents: Collection[str] | None
) -> list[tuple[int, float]]:
    """Nothing where the index's vectors are of no use."""
    try:
        return index.dense(vector, depth, encoder, documents)
    except EncoderMismatch as error:
        log.warning("searched by words alone: %s", error)
    except SegmentCorrupt as error:
        log.error("searched by words alone: %s", error)
        index.note_damage()
    return []


_Key = tuple[str, int]
"""A collection and a passage id in it."""


def fuse(*rankings: tuple[float, Sequence[_Key]]) -> list[tuple[_Key, float]]:
    """Each ranking, given with its weight, adds weight / (RANK_CONSTANT + rank) to what it holds.

    Best first; ties keep their order.
    """
    scores: dict[_Key, float] = {}
    for weight, ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + weight / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def _ranked(found: list[tuple[_Key, float]], k: int) -> dict[_Key, tuple[float, int]]:
    """The k best of all collections: key to (score, rank)."""
    best = sorted(found, key=lambda pair: -pair[1])[:k]
    return {key: (score, rank) for rank, (key, score) in enumerate(best, start=1)}


def _load(keys: Sequence[_Key], collections: dict[str, CollectionIndex]) -> dict[_Key, IndexedPassage]:
    loaded: dict[_Key, IndexedPassage] = {}
    for name in dict.fromkeys(name for name, _ in keys):
        try:
            passages = collections[name].passages([i for key_name, i in keys if key_name == name])
        except CollectionGone:
            continue
        loaded.update({(name, i): passage for i, passage in passages.items()})
    return loaded
