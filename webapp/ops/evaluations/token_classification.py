"""`token-classification`: entities marked in texts, against those that a classifier of words finds."""

from __future__ import annotations

import time

from models_service.evaluation import spans
from models_service.evaluation.report import Report
from models_service.formats.entities import read_marked
from models_service.opening import loaded
from models_service.registry import TAGGER
from webapp.ops.evaluations.classification import classifier
from webapp.ops.evaluations.task import Order, Task

DATA = "JSON Lines with text and entities (start, end, label), or tokens and tags, gzip allowed"


def _find(order: Order) -> Report:
    rows = read_marked(order.data)[: order.limit]
    engine = loaded(classifier(order, "tokens"), order.models_folder)
    try:
        began = time.monotonic()
        found = spans.score(engine, rows, order.progress, order.keep)
        seconds = time.monotonic() - began
    finally:
        engine.close()
    return Report(
        task="token-classification", model=order.model, data=order.data.name, n=len(rows),
        metrics={name: round(value, 4) for name, value in spans.metrics(found).items()},
        intervals={name: (round(low, 4), round(high, 4)) for name, (low, high) in spans.intervals(found).items()},
        seconds=round(seconds, 1), labelling=spans.labelling(found),
    )


TOKEN_CLASSIFICATION = Task("entities against those that people marked", DATA, TAGGER, _find)
