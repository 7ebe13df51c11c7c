"""`manage.py finetune TASK ...`: train a model in a child process, in a run folder from which it can go on.

The options are the recipe's own settings; nothing about training is written here.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from django.conf import settings
from django.core.management.base import CommandError
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from models_service.training import STOPPED
from models_service.training.plan import Plan, varied
from models_service.training.recipes import RECIPES
from webapp.ops.command_line import SiteCommand, table, wrong_use


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
                _add_option(options, name, field)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        settings_type = RECIPES[options["task"]].settings
        folder = _existing_run(options["resume"]) if options["resume"] else _new_run(settings_type, options)
        started = time.monotonic()
        status = _run(folder, show_on=sys.stderr if options["json"] else sys.stdout)
        if status == STOPPED:
            raise CommandError(f"Stopped; go on with: manage.py finetune {options['task']} --resume {folder}",
                               returncode=STOPPED)
        if status:
            raise CommandError(f"The training failed; {folder / 'log.txt'} says why. Once that is mended, go on "
                               f"with --resume {folder}.", returncode=1)
        last = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
        told = last.get("result", {})
        made = None if "folds" in told else folder / f"trial-{told['best']}" if "trials" in told else folder
        return {"task": options["task"], "run": str(made or folder), "model": str(made / "model") if made else None,
                "metrics": last.get("metrics", {}), **told, "seconds": round(time.monotonic() - started, 1)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        if "folds" in result:
            return [f"Done in {result['seconds']:.0f} s.", *_folds_table(result),
                    "No model was made; train one with the settings that did well."]
        figures = ", ".join(f"{name} {value:.1f}" for name, value in result["metrics"].items())
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


def _add_option(parser: ArgumentParser, name: str, field: FieldInfo) -> None:
    """A setting as an option. None stands for "not given", so that defaults live in the recipe alone."""
    default = "" if field.is_required() else f" (default: {field.get_default(call_default_factory=True)})"
    several = get_origin(field.annotation) is list
    parser.add_argument(
        f"--{name.replace('_', '-')}", dest=name, default=None, nargs="+" if several else None,
        type=Path if _holds_paths(field.annotation) else str,
        metavar="FILE" if _holds_paths(field.annotation) else "VALUE",
        help=((field.description or "") + default).strip().replace("%", "%%"),
    )


def _holds_paths(annotation: Any) -> bool:
    return annotation is Path or any(_holds_paths(inner) for inner in get_args(annotation))


def _new_run(settings_type: type[BaseModel], options: Mapping[str, Any]) -> Path:
    """A folder with the spec of what the options ask for."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        wanted, plan = (kind.model_validate({name: given[name] for name in kind.model_fields.keys() & given})
                        for kind in (settings_type, Plan))
        varied(settings_type, plan.search)
    except ValidationError as error:
        problems = [f"--{str(each['loc'][0]).replace('_', '-')}: {each['msg']}" if each["loc"] else each["msg"]
                    for each in error.errors()]
        raise wrong_use("; ".join(problems)) from None
    except ValueError as error:
        raise wrong_use(f"--search: {error}.") from None
    if plan.folds and given.keys() & {"evaluation", "first"}:
        raise wrong_use("--folds divides the data itself: leave out --evaluation and --first.")
    values = json.loads(wanted.model_dump_json())
    for name, field in settings_type.model_fields.items():
        if _holds_paths(field.annotation) and values[name]:
            values[name] = _absolute(values[name])
    folder = (options["output"] or settings.DATA_DIR / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{options['task']}")
    folder = folder.resolve()
    if (folder / "spec.json").exists():
        raise wrong_use(f"{folder} already holds a run; go on with it by --resume, or choose another --output.")
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"task": options["task"], "settings": values, "plan": plan.model_dump(exclude_defaults=True)}
    (folder / "spec.json").write_text(json.dumps(spec, indent=2) + "\n")
    return folder


def _absolute(paths: str | list[str]) -> str | list[str]:
    """The same files from wherever the run is resumed; an error when one does not exist."""
    if isinstance(paths, list):
        return [_absolute(path) for path in paths]
    path = Path(paths).resolve()
    if not path.is_file():
        raise wrong_use(f"There is no file {path}.")
    return str(path)


def _existing_run(folder: Path) -> Path:
    if not (folder / "spec.json").is_file():
        raise wrong_use(f"{folder} is not a run's folder: it has no spec.json.")
    return folder.resolve()


def _run(folder: Path, show_on: Any) -> int:
    """Train; Ctrl-C reaches the child too, which keeps its checkpoint while this process waits for it."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-m", "models_service.training", str(folder)], stdout=show_on,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, previous))
    forward = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.signal(signal.SIGTERM, forward)
