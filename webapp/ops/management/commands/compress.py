"""`manage.py compress METHOD [NAME] ...`: a smaller or quicker model made of a registered one and kept beside it.

The options are the method's own settings (`models_service/compression/methods.py`). Both models are measured in the
same run (`webapp/training/compressing.py`).
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from models_service.compression.methods import METHODS, needs_data
from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import READER, Model, Registry
from webapp.ops.command_line import SiteCommand, table, wrong_use
from webapp.ops.training_runs import add_option, checked, existing_run, new_folder, work
from webapp.settings.places import models_folder
from webapp.training import subjects

MB = 1_000_000


class Command(SiteCommand):
    help = ("Make a smaller or quicker model of a registered one, and measure both. It is registered as a new "
            "version and not served yet.")
    expected_errors = (ModelMissing, ModelUnusable)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        methods = parser.add_subparsers(dest="method", required=True)
        for name, method in METHODS.items():
            own = methods.add_parser(name, help=f"{method.told} ({', '.join(method.kinds)})")
            own.add_argument("name", metavar="NAME", nargs="?", default=READER, help="or NAME@VERSION (%(default)s)")
            own.add_argument("--json", action="store_true", help="print one JSON object at the end")
            own.add_argument("--data", type=Path, nargs="+", default=[], metavar="FILE",
                             help="to learn on and to measure importance on: SQuAD JSON for a reader, else any texts")
            own.add_argument("--evaluation", type=Path, metavar="PATH",
                             help="held-out data to measure both on, as manage.py evaluate takes it")
            own.add_argument("--limit", type=int, metavar="N", help="measure on the first N examples only")
            own.add_argument("--output", type=Path, metavar="FOLDER", help="the run's folder (runs/TIME-METHOD)")
            own.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run in this folder")
            for setting, field in method.settings.model_fields.items():
                add_option(own, setting, field)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        folder = existing_run(options["resume"]) if options["resume"] else _new(options)
        started = time.monotonic()
        last = work(folder, f"compress {options['method']}", quietly=options["json"],
                    module="webapp.training.compressing")
        return {"run": str(folder), **last["registered"], **last["result"]["compared"],
                "seconds": round(time.monotonic() - started, 1)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        before, after = result["costs"]["before"], result["costs"]["after"]
        rows = [("computes in", before["form"], after["form"], "")]
        rows += [(f"{told}, MB", *(f"{one[name] / MB:.1f}" for one in (before, after)), "")
                 for told, name in (("on disk", "disk_bytes"), ("in memory", "memory_bytes"))]
        rows += [(told, *(f"{one[name]:.2f}" for one in (before, after)), "")
                 for told, name in (("ms, one alone", "milliseconds_alone"),
                                    ("ms, one of 64", "milliseconds_in_batch"))]
        rows += [(name, _with_interval(one["before"], one["before_interval"]),
                  _with_interval(one["after"], one["after_interval"]), _paired(one)) for name, one in
                 result["quality"].items()]
        told = ", ".join(f"{name} {value}" for name, value in result["figures"].items())
        return [f"{result['method']} of {result['label']}: {told}",
                *table([("", "original", result["method"], "difference"), *rows]),
                *([f"The quality was measured on {result['rows']} examples of {result['data']}."]
                  if result["quality"] else ["The quality was not measured; --evaluation names data for it."]),
                f"Registered as {result['name']}, version {result['version']}, in {result['seconds']:.0f} s.",
                f"Serve it with: manage.py models promote {result['name']} {result['version']}"]


def _with_interval(value: float, interval: list[float] | None) -> str:
    return f"{value:.4g}" + (f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else "")


def _paired(one: Mapping[str, Any]) -> str:
    paired = one.get("paired")
    return f"{paired['difference']:+.3g} ({paired['low']:+.3g} to {paired['high']:+.3g})" if paired else ""


def _new(options: Mapping[str, Any]) -> Path:
    models, name = models_folder(settings.DATA_DIR), options["method"]
    model = Registry(folder=models).find(options["name"])
    method = METHODS[name]
    if model.kind not in method.kinds:
        raise wrong_use(f"{model.label} is a model of kind {model.kind}; {name} is for {', '.join(method.kinds)}.")
    given = {setting: options[setting] for setting in method.settings.model_fields if options[setting] is not None}
    wanted = checked(method.settings, given)
    if needs_data(name, wanted) and not options["data"]:
        raise wrong_use(f"{name} needs --data FILE.")
    if getattr(wanted, "recovery_epochs", 0) and model.kind != "reader":
        raise wrong_use("--recovery-epochs is for readers: no other model can be trained afterwards.")
    if options["limit"] is not None and options["limit"] < 1:
        raise wrong_use("--limit must be at least 1.")
    for path in [*options["data"], *filter(None, [options["evaluation"]])]:
        if not path.exists():
            raise wrong_use(f"There is no file {path}.")
    return new_folder(name, {
        "method": name, "settings": wanted.model_dump(), "model": model.label, "models_folder": str(models),
        "data": [str(path.resolve()) for path in options["data"]], "evaluation": _evaluation(model, options),
        "task": _measured_by(model) or model.kind, "register": {"folder": str(models), "name": model.name},
        "card": {"run": f"compress-{time.time_ns()}", "base": model.label, "settings": {"method": name, **given}},
    }, options["output"])


def _measured_by(model: Model) -> str:
    """The evaluation for such a model; "" when there is none."""
    task = subjects.task_of(model)
    return subjects.SUBJECTS[task].evaluation if task else "retrieval" if model.kind == "encoder" else ""


def _evaluation(model: Model, options: Mapping[str, Any]) -> dict[str, Any] | None:
    if options["evaluation"] is None:
        return None
    task = _measured_by(model)
    if not task:
        raise wrong_use(f"There is no evaluation for a model of kind {model.kind}: leave out --evaluation.")
    limit = {"limit": options["limit"]} if options["limit"] else {}
    return {"task": task, "data": str(options["evaluation"].resolve()), "options": limit,
            "rows": options["limit"] or 0}
