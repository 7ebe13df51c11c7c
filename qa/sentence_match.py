"""Find the sentence that shares a question's rarest words: for languages that the reader was not trained on.

No understanding, only words: each word (a pair of characters in Chinese) weighs as much as it is rare in the
passages searched, and a sentence scores the share of the question's weight that it holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from models_service.protocol import Calibration, SpanResult
from qa.passages import in_code_block
from qa.sentences import sentences
from qa.terms import terms

CALIBRATION = Calibration(weights={"margin": 5.97, "first": 0.51}, intercept=-3.71)
"""Fitted on 500 questions of the CMRC 2018 development set (Cui et al. 2019), asked of all of its 418 paragraphs, a
quarter of them with their own paragraph taken away; right is a sentence that holds a gold answer."""
_ASKS = re.compile(r"[?？][\s\"'”’」』）)]*$")
"""Who asks has the question's words and not the answer."""
_LENGTH_PRIOR = 12
"""Terms. Shorter sentences than this lose score: a heading repeats the question's words and answers nothing."""


def question_terms(question: str) -> list[str]:
    """The question's different words, in order."""
    return list(dict.fromkeys(terms(question)))


def rarity(words: Sequence[str], frequencies: Mapping[str, int], passages: int) -> dict[str, float]:
    """Inverse document frequencies as BM25 counts them.

    Args:
        frequencies: in how many of the `passages` each word stands; one that stands in none is left out of it.
    """
    weights = {}
    for word in words:
        n = min(frequencies.get(word, 0), passages)
        weights[word] = math.log(1 + (passages - n + 0.5) / (n + 0.5))
    return weights


def best_sentences(weights: Mapping[str, float], passages: Sequence[str], n_best: int = 2) -> list[list[SpanResult]]:
    """For each passage its best sentences, best first; `score` is 0 to 1: the share of the question's weight."""
    total = sum(weights.values())
    return [_of_passage(weights, total, passage, n_best) for passage in passages]


def _of_passage(weights: Mapping[str, float], total: float, passage: str, n_best: int) -> list[SpanResult]:
    ranges = sentences(passage)
    context = terms(passage)
    in_context = sum(weight for term, weight in weights.items() if term in set(context)) / total if total else 0.0
    found = []
    for start, end in ranges:
        if _ASKS.search(passage, start, end) or in_code_block(passage, start):
            continue
        own = terms(passage[start:end])
        held = sum(weight for term, weight in weights.items() if term in set(own))
        share = held / total if total else 0.0
        length = min(1.0, len(own) / _LENGTH_PRIOR)
        # What the rest of the passage says counts too: "it" in a sentence is named in the one before.
        score = (0.75 * share + 0.25 * in_context) * (0.5 + 0.5 * length)
        found.append(SpanResult(text=passage[start:end], start=start, end=end, score=score))
    return sorted(found, key=lambda span: -span.score)[:n_best]
