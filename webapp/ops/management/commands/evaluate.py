"""`manage.py evaluate TASK --data FILE`: measure a model on held-out data. Needs no running site."""

from __future__ import annotations

import asyncio
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from models_service.errors import ModelsError
from models_service.evaluation import reading
from models_service.evaluation.report import Report, from_examples
from models_service.formats.squad import FormatError, Question, read_squad
from models_service.in_process import InProcessModels
from models_service.registry import READER, ModelMissing, ModelUnusable, load_reader
from qa import evaluation, open_collection
from webapp.ops.command_line import SiteCommand, show_progress, table, wrong_use
from webapp.settings.places import models_folder


class Command(SiteCommand):
    help = "Measure a model: qa (the question beside its paragraph), openqa (the question asked of all paragraphs)."
    expected_errors = (FormatError, ModelMissing, ModelUnusable, ModelsError)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("task", choices=sorted(TASKS))
        parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="SQuAD JSON, gzip allowed")
        parser.add_argument("--model", default=READER, metavar="NAME",
                            help="a directory, a name or NAME@VERSION (%(default)s)")
        parser.add_argument("--limit", type=int, metavar="N", help="the first N examples only")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        if options["limit"] is not None and options["limit"] < 1:
            raise wrong_use("--limit must be at least 1.")
        questions = read_squad(options["data"])[: options["limit"]]
        return TASKS[options["task"]](questions, options["model"], options["data"].name).model_dump()

    def lines(self, result: dict[str, Any]) -> list[str]:
        rows = [(name, f"{value:.4g}", "to".join(f" {bound:.4g} " for bound in result["intervals"].get(name, ())))
                for name, value in result["metrics"].items()]
        return [f"{result['model']} on {result['data']}: {result['n']} examples in {result['seconds']:.0f} s",
                *table([("metric", "value", "95 % interval"), *rows])]


def _qa(questions: list[Question], model: str, data: str) -> Report:
    began = time.monotonic()
    values = reading.score(load_reader(model, models_folder(settings.DATA_DIR)), questions, show_progress)
    return from_examples("qa", model, data, values, len(questions), time.monotonic() - began)


def _openqa(questions: list[Question], model: str, data: str) -> Report:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wenda-openqa-") as folder:
        values, asked = asyncio.run(_ask_all(questions, model, Path(folder)))
    report = from_examples("openqa", model, data, values, len(questions), time.monotonic() - began)
    milliseconds = sorted(one.milliseconds for one in asked)
    report.metrics["seconds_per_question"] = round(sum(milliseconds) / len(milliseconds) / 1000, 4)
    auroc = evaluation.auroc(asked)
    if auroc is not None:
        report.metrics["auroc"] = round(auroc, 4)
    return report


async def _ask_all(questions: list[Question], model: str, folder: Path):
    models = InProcessModels(reader=model, folder=models_folder(settings.DATA_DIR))
    collection = await open_collection.build(questions, models, folder / "index")
    return await evaluation.evaluate(questions, collection, models, show_progress)


TASKS = {"qa": _qa, "openqa": _openqa}
