"""Make unanswerable examples: a question beside a passage that looks right and does not hold the answer.

The passage is drawn from the question's best BM25 matches, which is what a retriever hands the reader when the
right document is missing; random passages are too easy to tell apart (Clark and Gardner 2018, section 3).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import bm25s

from models_service.formats.squad import Question

CANDIDATES = 8


def unanswerable(questions: Sequence[Question], share: float, seed: int) -> list[Question]:
    """Pair `share` of the questions with another passage that contains none of their answers.

    Args:
        share: fraction of `questions` to copy, 0 to 1; which ones is decided by `seed`.
    """
    count = round(len(questions) * share)
    passages = list(dict.fromkeys(question.context for question in questions))
    if not count or len(passages) < 2:
        return []
    rng = random.Random(seed)
    chosen = rng.sample(list(questions), count)
    index = bm25s.BM25()
    index.index(bm25s.tokenize(passages, show_progress=False), show_progress=False)
    queries = bm25s.tokenize([question.question for question in chosen], show_progress=False)
    best = index.retrieve(queries, k=min(CANDIDATES, len(passages)), show_progress=False).documents
    made = []
    for question, row in zip(chosen, best, strict=True):
        fits = [passages[i] for i in row if _lacks_answer(passages[i], question)]
        if fits:
            made.append(replace(question, id=f"{question.id}-unanswerable", context=rng.choice(fits), answers=()))
    return made


def _lacks_answer(passage: str, question: Question) -> bool:
    lowered = passage.lower()
    return passage != question.context and not any(text.lower() in lowered for text in question.texts)
