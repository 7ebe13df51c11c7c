"""Evaluate the whole way of an answer: each question of a data set is asked of all of its paragraphs at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models_service.client import Models
from models_service.evaluation import squad
from models_service.formats.squad import Question
from models_service.protocol import AnswerDone
from qa.answer import MAX_QUESTION_CHARACTERS, PASSAGES_FOUND, answer
from qa.open_collection import NAME, OpenCollection
from qa.rerank import rerank
from qa.retrieve import retrieve

DEPTHS = (1, 5, 20)
RIGHT_FROM_F1 = 0.5
"""An answer counts as right, for confidence and calibration, from this F1."""


@dataclass(frozen=True)
class Asked:
    """One question's outcome. `milliseconds` is from the question to its last event."""

    done: AnswerDone
    f1: float
    milliseconds: float


async def evaluate(
    questions: Sequence[Question],
    collection: OpenCollection,
    models: Models,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[dict[str, list[float]], list[Asked]]:
    """Per-question values of em, f1 (an abstention counts as no answer), recall@k of the gold paragraph among the
    k best passages, abstained and citation_precision (of those answered: whether the first citation holds a gold
    answer); and what was answered.
    """
    values: dict[str, list[float]] = defaultdict(list)
    asked = []
    for number, question in enumerate(questions, start=1):
        text = question.question[:MAX_QUESTION_CHARACTERS]
        found = await retrieve(text, [(NAME, collection.index)], models, PASSAGES_FOUND)
        found, _ = await rerank(text, found, models)
        documents = [passage.passage.document.id for passage in found]
        for depth in DEPTHS:
            values[f"recall@{depth}"].append(float(collection.gold[question.context] in documents[:depth]))
        began = time.perf_counter()
        done = await _ask(text, collection, models)
        f1 = squad.f1(done.span, question.texts)
        asked.append(Asked(done, f1, (time.perf_counter() - began) * 1000))
        values["em"].append(squad.exact_match(done.span, question.texts))
        values["f1"].append(f1)
        values["abstained"].append(float(done.abstained))
        if done.citations and question.texts:
            quote = squad.normalize_answer(done.citations[0].quote)
            holds = any(squad.normalize_answer(gold) in quote for gold in question.texts)
            values["citation_precision"].append(float(holds))
        if number % 20 == 0 or number == len(questions):
            progress(number, len(questions))
    return dict(values), asked


async def _ask(question: str, collection: OpenCollection, models: Models) -> AnswerDone:
    events = answer(question, collections=[(NAME, collection.index)], documents=collection, models=models)
    last = None
    async for event in events:
        last = event
    assert isinstance(last, AnswerDone)
    return last
