"""Put the passages that were found into the order that a reranker gives them, where one is served.

It reads question and passage together, which costs more than searching and orders better: so it sees the first few
only. Without a reranker, and when it fails, the order stays.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from models_service.client import Models, ModelsError
from qa.retrieve import RetrievedPassage

RERANKED = 20
"""How many of the first passages are scored anew."""
log = logging.getLogger(__name__)


async def rerank(
    question: str, found: Sequence[RetrievedPassage], models: Models, *, client: str = ""
) -> tuple[list[RetrievedPassage], bool]:
    """The passages, best first, and whether a reranker chose the order. Those past the first few follow as they were.
    """
    first = list(found[:RERANKED])
    if len(first) < 2:
        return list(found), False
    try:
        done = await models.rerank(question, [one.passage.text for one in first], client=client)
    except ModelsError as problem:
        log.warning("not reranked: %s", problem.message)
        return list(found), False
    if done is None:
        return list(found), False
    scored = [replace(one, reranked=score) for one, score in zip(first, done.scores, strict=True)]
    return [*sorted(scored, key=lambda one: -(one.reranked or 0.0)), *found[RERANKED:]], True
