"""Whole passages as citations: what an answer is made from, and what is shown when there is none."""

from __future__ import annotations

from collections.abc import Sequence

from models_service.protocol import Citation
from qa.retrieve import RetrievedPassage
from qa.verify import StoredTexts, checked

MOST_CITATIONS = 5


def source(retrieved: RetrievedPassage) -> Citation:
    """A whole passage as a citation with nothing marked."""
    passage = retrieved.passage
    return Citation(
        document=passage.document.id, title=passage.document.title, passage=passage.id, start=passage.start,
        end=passage.end, quote=passage.text, span_start=passage.start, span_end=passage.start,
        score=round(max(0.0, min(1.0, retrieved.dense or 0.0)), 4),
        also_in=list(retrieved.also_in),
    )


def nearest(passages: Sequence[RetrievedPassage], documents: StoredTexts) -> list[Citation]:
    """The best few, those that the stored documents still hold."""
    return checked([source(passage) for passage in passages[:MOST_CITATIONS]], documents)
