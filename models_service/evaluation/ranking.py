"""Measures of a ranking: recall, reciprocal rank and nDCG, as TREC and BEIR count them.

A ranking is document ids, best first, each once; `grades` says how relevant a document is, those above 0 are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def recall(ranking: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """The share of the relevant documents that stand among the first `depth`."""
    relevant = _relevant(grades)
    return len(relevant.intersection(ranking[:depth])) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """1 over the rank of the first relevant document, counted from 1; 0 when none was found."""
    relevant = _relevant(grades)
    return next((1 / rank for rank, document in enumerate(ranking, start=1) if document in relevant), 0.0)


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Discounted cumulative gain of the first `depth`, over the best that any ranking could have.

    The gain is the grade itself and the discount log2(1 + rank) (Järvelin and Kekäläinen 2002, as trec_eval has it).
    """
    best = sorted(grades.values(), reverse=True)[:depth]
    return _gain([grades.get(document, 0) for document in ranking[:depth]]) / _gain(best)


def _gain(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(1 + rank) for rank, grade in enumerate(grades, start=1))


def _relevant(grades: Mapping[str, int]) -> set[str]:
    found = {document for document, grade in grades.items() if grade > 0}
    if not found:
        raise ValueError("no document is relevant: nothing can be measured")
    return found
