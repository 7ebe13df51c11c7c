"""Evaluate a reader on questions that stand beside their paragraph: EM and F1 (SQuAD v1.1 and v2.0)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models_service.engines.reader import ReaderEngine
from models_service.evaluation import squad
from models_service.formats.squad import Question

CHUNK = 64
"""Questions between two signs of progress."""


def score(
    engine: ReaderEngine, questions: Sequence[Question], progress: Callable[[int, int], None] = lambda done, of: None,
    keep: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, list[float]]:
    """For each question its EM and F1, 0 to 1.

    The best span is the prediction. Where the file has unanswerable questions (v2.0), a span that scores below "not
    answered here" is no prediction. `keep` is given each question's result.
    """
    may_abstain = any(not question.answers for question in questions)
    values: dict[str, list[float]] = {"em": [], "f1": []}
    for begin in range(0, len(questions), CHUNK):
        chunk = questions[begin : begin + CHUNK]
        found = engine.read_pairs([(q.question, q.context) for q in chunk], n_best=1)
        for question, spans in zip(chunk, found, strict=True):
            prediction = spans[0].text if spans and not (may_abstain and spans[0].score < 0) else ""
            em, f1 = squad.exact_match(prediction, question.texts), squad.f1(prediction, question.texts)
            values["em"].append(em)
            values["f1"].append(f1)
            keep({"id": question.id, "asked": question.question, "context": question.context,
                  "expected": question.texts, "given": prediction, "em": em, "f1": round(f1, 4),
                  "score": round(spans[0].score, 3) if spans else None})
        progress(begin + len(chunk), len(questions))
    return values
