"""`qa`, the question beside its paragraph, and `openqa`, the question asked of all paragraphs: SQuAD-format data."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from models_service.evaluation import reading
from models_service.evaluation.report import Report, from_examples
from models_service.formats.squad import Question, read_squad
from models_service.in_process import InProcessModels
from models_service.opening import load_reader
from models_service.registry import READER
from qa import confidence, evaluation, open_collection
from webapp.ops.evaluations.task import Order, Task

DATA = "SQuAD JSON, gzip allowed"


def _qa(order: Order) -> Report:
    questions = read_squad(order.data)[: order.limit]
    began = time.monotonic()
    values = reading.score(load_reader(order.model, order.models_folder), questions, order.progress,
                           order.keep)
    return from_examples("qa", order.model, order.data.name, values, len(questions), time.monotonic() - began)


def _openqa(order: Order) -> Report:
    questions = read_squad(order.data)[: order.limit]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wenda-openqa-") as folder:
        values, asked = asyncio.run(_ask_all(questions, order, Path(folder)))
    seconds = time.monotonic() - began
    report = from_examples("openqa", order.model, order.data.name, values, len(questions), seconds)
    milliseconds = sorted(one.milliseconds for one in asked)
    report.metrics["seconds_per_question"] = round(sum(milliseconds) / len(milliseconds) / 1000, 4)
    right = [one.f1 >= evaluation.RIGHT_FROM_F1 for one in asked]
    auroc = confidence.auroc([one.done.confidence for one in asked], right)
    if auroc is not None:
        report.metrics["auroc"] = round(auroc, 4)
    return report


async def _ask_all(questions: list[Question], order: Order, folder: Path):
    models = InProcessModels(reader=order.model, reranker=order.reranker, folder=order.models_folder)
    collection = await open_collection.build(questions, models, folder / "index")
    return await evaluation.evaluate(questions, collection, models, order.progress)


QA = Task("the question beside its paragraph", DATA, READER, _qa)
OPENQA = Task("the question asked of all paragraphs", DATA, READER, _openqa, takes=("reranker",))
