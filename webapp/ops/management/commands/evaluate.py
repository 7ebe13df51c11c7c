"""`manage.py evaluate TASK --data FILE`: measure a model on held-out data. Needs no running site."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from models_service.errors import ModelsError
from models_service.evaluation.summary_length import LENGTHS, Length, length_of
from models_service.formats.files import FormatError
from models_service.registry import ModelMissing, ModelUnusable
from webapp.ops.command_line import SiteCommand, show_progress, table, wrong_use
from webapp.ops.evaluations import TASKS, Order
from webapp.settings.places import models_folder

OF_SOME_TASKS = ("source", "target", "length", "reranker", "baselines")
"""Options that not every task takes; each task says which."""


class Command(SiteCommand):
    help = "Measure a model: " + "; ".join(f"{name} ({task.told})" for name, task in TASKS.items()) + "."
    expected_errors = (FormatError, ModelMissing, ModelUnusable, ModelsError)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("task", choices=list(TASKS))
        formats = "; ".join(dict.fromkeys(task.data for task in TASKS.values()))
        parser.add_argument("--data", type=Path, required=True, metavar="PATH", help=formats)
        parser.add_argument("--model", metavar="NAME", help="a directory, a name or NAME@VERSION; by default the "
                            "starter model of the task")
        parser.add_argument("--limit", type=int, metavar="N", help="the first N examples only")
        parser.add_argument("--source", metavar="CODE", help="translate: the language to translate from, as in en")
        parser.add_argument("--target", metavar="CODE", help="translate: the language to translate into, as in de")
        parser.add_argument("--length", type=_length, metavar="LENGTH",
                            help=f"summarize: {', '.join(LENGTHS)}, or a number of words")
        parser.add_argument("--baselines", action="store_const", const=True,
                            help="summarize: also lead, random, TextRank and the oracle")
        parser.add_argument("--reranker", metavar="NAME",
                            help="openqa, retrieval: the model that orders what was found")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        name = options["task"]
        task = TASKS[name]
        if options["limit"] is not None and options["limit"] < 1:
            raise wrong_use("--limit must be at least 1.")
        for option in OF_SOME_TASKS:
            if options[option] is not None and option not in (*task.needs, *task.takes):
                raise wrong_use(f"evaluate {name} takes no --{option}.")
        if missing := [f"--{option}" for option in task.needs if options[option] is None]:
            raise wrong_use(f"evaluate {name} needs {' and '.join(missing)}.")
        order = Order(
            data=options["data"], model=options["model"] or task.model, limit=options["limit"],
            models_folder=models_folder(settings.DATA_DIR), progress=show_progress,
            **{option: options[option] for option in OF_SOME_TASKS},
        )
        return task.run(order).model_dump(exclude_none=True)

    def lines(self, result: dict[str, Any]) -> list[str]:
        rows = [(name, f"{value:.4g}", "to".join(f" {bound:.4g} " for bound in result["intervals"].get(name, ())))
                for name, value in result["metrics"].items()]
        return [f"{result['model']} on {result['data']}: {result['n']} examples in {result['seconds']:.0f} s",
                *table([("metric", "value", "95 % interval"), *rows]),
                *_compared(result),
                *([f"signature: {result['signature']}"] if "signature" in result else [])]


def _compared(result: dict[str, Any]) -> list[str]:
    """A row a baseline, the model's own first."""
    if "baselines" not in result:
        return []
    named = {result["model"]: result, **result["baselines"]}
    rows = [(name, *(f"{value:.1f} ({' to '.join(f'{bound:.1f}' for bound in own['intervals'][metric])})"
                     for metric, value in own["metrics"].items())) for name, own in named.items()]
    return ["", *table([("", *result["metrics"]), *rows])]


def _length(given: str) -> Length:
    try:
        return length_of(given)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
