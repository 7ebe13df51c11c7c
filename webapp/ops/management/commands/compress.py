"""`manage.py compress NAME --data FILE`: a smaller, quicker reader made of a registered one and kept beside it.

Layers and inner neurons are taken out, and what is left learns from the whole (`models_service/training/qa.py`).
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import READER, Registry
from webapp.ops.command_line import SiteCommand, table, wrong_use
from webapp.ops.training_runs import existing_run, new_run, work
from webapp.settings.places import models_folder

OF_THE_RECIPE = ("data", "evaluation", "layers", "feed_forward", "epochs", "learning_rate", "seed")


class Command(SiteCommand):
    help = ("Make a smaller reader that learns from a larger one, and measure both. It is registered as a new "
            "version and not served yet.")
    expected_errors = (ModelMissing, ModelUnusable)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", nargs="?", default=READER, help="or NAME@VERSION (%(default)s)")
        parser.add_argument("--data", type=Path, nargs="+", metavar="FILE", help="SQuAD-format files to learn on")
        parser.add_argument("--evaluation", type=Path, metavar="FILE", help="a held-out file to measure both on")
        parser.add_argument("--layers", metavar="N", help="that the smaller model keeps (half of them)")
        parser.add_argument("--feed-forward", metavar="SHARE", help="of the inner neurons it keeps, 0 to 1 (1.0)")
        parser.add_argument("--epochs", metavar="N", help="how often all examples are seen")
        parser.add_argument("--learning-rate", metavar="RATE", help="peak, reached after the warm-up")
        parser.add_argument("--seed", metavar="N", help="of every random choice")
        parser.add_argument("--output", type=Path, metavar="FOLDER", help="the run's folder (runs/TIME-qa)")
        parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run in this folder")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        folder = existing_run(options["resume"]) if options["resume"] else _new(options)
        started = time.monotonic()
        last = work(folder, "compress", quietly=options["json"])
        return {"run": str(folder), **last["registered"], **last["result"]["compressed"],
                "seconds": round(time.monotonic() - started, 1)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        before, after = result["before"], result["after"]
        rows = [(name, f"{before[name]:,}", f"{after[name]:,}") for name in before]
        return [*table([("", "before", "after"), *rows]),
                f"Registered as {result['name']}, version {result['version']}, in {result['seconds']:.0f} s.",
                f"Serve it with: manage.py models promote {result['name']} {result['version']}"]


def _new(options: Mapping[str, Any]) -> Path:
    models = models_folder(settings.DATA_DIR)
    model = Registry(folder=models).find(options["name"])
    if model.kind != "reader":
        raise wrong_use(f"{model.label} is a model of kind {model.kind}; only a reader can be made smaller.")
    given = {name: options[name] for name in OF_THE_RECIPE}
    return new_run("qa", {**given, "method": "distil", "base": str(model.directory())}, options["output"],
                   register={"folder": str(models), "name": model.name},
                   card={"run": f"compress-{time.time_ns()}", "base": model.label})
