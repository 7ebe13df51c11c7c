"""Evaluate a reader on questions that stand beside their paragraph: EM and F1 (SQuAD v1.1 and v2.0)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models_service.engines.reader import ReaderEngine
from models_service.evaluation import squad
from models_service.formats.squad import Question

CHUNK = 200
"""Questions between two signs of progress."""


def score(
    engine: ReaderEngine, questions: Sequence[Question], progress: Callable[[int, int], None] = lambda done, of: None
) -> dict[str, list[float]]:
    """For each question its EM and F1, 0 to 1.

    The best span is the prediction. Where the file has unanswerable questions (v2.0), a span that scores below "not
    answered here" is no prediction.
    """
    may_abstain = any(not question.answers for question in questions)
    values: dict[str, list[float]] = {"em": [], "f1": []}
    for begin in range(0, len(questions), CHUNK):
        chunk = questions[begin : begin + CHUNK]
        found = engine.read_pairs([(q.question, q.context) for q in chunk], n_best=1)
        for question, spans in zip(chunk, found, strict=True):
            prediction = spans[0].text if spans and not (may_abstain and spans[0].score < 0) else ""
            values["em"].append(squad.exact_match(prediction, question.texts))
            values["f1"].append(squad.f1(prediction, question.texts))
        progress(begin + len(chunk), len(questions))
    return values
