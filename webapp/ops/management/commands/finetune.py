"""`manage.py finetune TASK ...`: train a model in a child process, in a run folder from which it can go on.

The options are the recipe's own settings; nothing about training is written here.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models_service.training.plan import Plan
from models_service.training.recipes import RECIPES
from webapp.ops.command_line import SiteCommand, table
from webapp.ops.training_runs import add_option, existing_run, new_run, work


class Command(SiteCommand):
    help = "Train a model on your own data. Ctrl-C keeps a checkpoint; --resume goes on from it."

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        for task, recipe in RECIPES.items():
            options = tasks.add_parser(task, help=f"train for {task}")
            options.add_argument("--json", action="store_true", help="print one JSON object at the end")
            options.add_argument("--output", type=Path, metavar="FOLDER", help="the run's folder (runs/TIME-TASK)")
            options.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run in this folder")
            for name, field in (recipe.settings.model_fields | Plan.model_fields).items():
                add_option(options, name, field)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        task = options["task"]
        folder = existing_run(options["resume"]) if options["resume"] else new_run(task, options, options["output"])
        started = time.monotonic()
        last = work(folder, f"finetune {task}", quietly=options["json"])
        told = last["result"]
        made = None if "folds" in told else folder / f"trial-{told['best']}" if "trials" in told else folder
        return {"task": task, "run": str(made or folder), "model": str(made / "model") if made else None,
                "metrics": last.get("metrics", {}), **told, "seconds": round(time.monotonic() - started, 1)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        if "folds" in result:
            return [f"Done in {result['seconds']:.0f} s.", *_folds_table(result),
                    "No model was made; train one with the settings that did well."]
        figures = ", ".join(f"{name} {value:.4g}" for name, value in result["metrics"].items())
        return [*(_trials_table(result) if "trials" in result else []),
                f"Done in {result['seconds']:.0f} s: {figures or 'no evaluation file was given'}.",
                f"The model is in {result['model']}. Measure it there with manage.py evaluate, then use it:",
                f"  manage.py models register {result['run']}",
                "  manage.py models promote NAME VERSION, as registering says"]


def _folds_table(result: Mapping[str, Any]) -> list[str]:
    rows = [(f"fold {number}", fold["rows"], *(f"{fold['metrics'][name]:.4g}" for name in result["mean"]))
            for number, fold in enumerate(result["folds"], start=1)]
    ends = [(told, "", *(f"{value:.4g}" for value in result[name].values()))
            for told, name in (("mean", "mean"), ("standard deviation", "deviation"))]
    return table([("", "rows", *result["mean"]), *rows, *ends])


def _trials_table(result: Mapping[str, Any]) -> list[str]:
    names = list(dict.fromkeys(name for trial in result["trials"] for name in trial["params"]))
    rows = [("*" if trial["number"] == result["best"] else "", trial["number"], trial["state"],
             "" if trial["value"] is None else f"{trial['value']:.4g}",
             *(f"{value:.4g}" if isinstance(value := trial["params"].get(name, ""), float) else value
               for name in names)) for trial in result["trials"]]
    return table([("", "trial", "", result["watched"], *names), *rows])
