"""`retrieval`, whether a query finds its documents through the site's own search."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from models_service.evaluation.report import Report, from_examples
from models_service.formats.beir import read_retrieval
from models_service.in_process import InProcessModels
from models_service.registry import ENCODER
from qa import retrieval_evaluation
from webapp.ops.evaluations.task import Order, Task


def _retrieval(order: Order) -> Report:
    """With a limit the first queries only, and still all documents: fewer would be easier to find."""
    data = read_retrieval(order.data)
    data = replace(data, queries=data.queries[: order.limit])
    models = InProcessModels(encoder=order.model, reranker=order.reranker, folder=order.models_folder)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wenda-retrieval-") as folder:
        values = asyncio.run(retrieval_evaluation.evaluate(
            data, models, Path(folder) / "index", order.progress, order.keep))
    seconds = time.monotonic() - began
    name = order.data.resolve().name
    return from_examples("retrieval", order.model, name, values, len(data.queries), seconds)


RETRIEVAL = Task(
    "whether a query finds its documents", "BEIR folder, rows of query and positive, or SQuAD JSON; gzip allowed",
    ENCODER, _retrieval, takes=("reranker",),
)
