"""`summarize`: the summaries that the site makes of texts, against those that people wrote."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from models_service.evaluation import rouge, summaries
from models_service.evaluation.report import Report, figures, from_examples
from models_service.evaluation.summary_length import Length
from models_service.formats.files import FormatError
from models_service.formats.summaries import Summarized, read_summaries
from models_service.in_process import InProcessModels
from models_service.protocol import MAX_SENTENCES
from models_service.registry import SUMMARIZER
from models_service.sentences import sentences
from models_service.words import count_words
from qa.writing.summary_length import words_wanted
from webapp.ops.evaluations.task import Order, Task


def _summarize(order: Order) -> Report:
    rows = read_summaries(order.data)[: order.limit]
    wanted = partial(_wanted, length=order.length)
    began = time.monotonic()
    with asyncio.Runner() as runner:
        models = InProcessModels(summarizer=order.model, folder=order.models_folder)
        values = summaries.score(
            rows, lambda text, words: runner.run(_summary(text, words, models)), wanted, order.progress
        )
        runner.run(models.close())
    report = from_examples("summarize", order.model, order.data.name, values, len(rows), time.monotonic() - began)
    report.signature = rouge.SIGNATURE
    if order.baselines:
        made = summaries.score_baselines(rows, _split, wanted, order.progress)
        report.baselines = {name: figures(own) for name, own in made.items()}
    return report


def _wanted(row: Summarized, length: Length | None) -> int:
    """As many words as the first reference has, unless another length is asked for."""
    if length in (None, "reference"):
        return max(count_words(row.summaries[0]), 1)
    return words_wanted(length, row.text, count_words(row.text))


async def _summary(text: str, words: int, models: InProcessModels) -> Sequence[str]:
    split = _split(text)
    if len(split) > MAX_SENTENCES:
        raise FormatError(f"A text has {len(split)} sentences; up to {MAX_SENTENCES} are summarized at once.")
    done = await models.summarize(split, words=words)
    return [split[one.index] for one in done.chosen]


def _split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


SUMMARIZE = Task(
    "summaries against those that people wrote", "JSONL with id, text, summaries", SUMMARIZER, _summarize,
    takes=("length", "baselines"),
)
