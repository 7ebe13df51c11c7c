"""Training runs of the command line: a folder with the spec of what is wanted, and the child that works it off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from django.conf import settings
from django.core.management.base import CommandError
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from models_service.training import STOPPED
from models_service.training.plan import Plan, check_privacy, varied
from models_service.training.recipes import RECIPES
from webapp.ops.command_line import wrong_use

Settings = TypeVar("Settings", bound=BaseModel)


def holds_paths(annotation: Any) -> bool:
    return annotation is Path or any(holds_paths(inner) for inner in get_args(annotation))


def new_run(task: str, options: Mapping[str, Any], output: Path | None, **more: Any) -> Path:
    """A folder with the spec of what the options ask for, and with `more` in it."""
    settings_type = RECIPES[task].settings
    given = {name: value for name, value in options.items() if value is not None}
    wanted, plan = (checked(kind, given) for kind in (settings_type, Plan))
    try:
        varied(settings_type, plan.search)
    except ValueError as error:
        raise wrong_use(f"--search: {error}.") from None
    try:
        check_privacy(wanted, plan)
    except ValueError as error:
        raise wrong_use(f"{error}.") from None
    if plan.folds and given.keys() & {"evaluation", "first"}:
        raise wrong_use("--folds divides the data itself: leave out --evaluation and --first.")
    values = json.loads(wanted.model_dump_json())
    for name, field in settings_type.model_fields.items():
        if holds_paths(field.annotation) and values[name]:
            values[name] = _absolute(values[name])
    spec = {"task": task, "settings": values, "plan": plan.model_dump(exclude_defaults=True), **more}
    return new_folder(task, spec, output)


def checked(kind: type[Settings], options: Mapping[str, Any]) -> Settings:
    """Of the options those that `kind` knows, as it has them."""
    try:
        return kind.model_validate({name: options[name] for name in kind.model_fields.keys() & options})
    except ValidationError as error:
        problems = [f"--{str(each['loc'][0]).replace('_', '-')}: {each['msg']}" if each["loc"] else each["msg"]
                    for each in error.errors()]
        raise wrong_use("; ".join(problems)) from None


def new_folder(name: str, spec: Mapping[str, Any], output: Path | None) -> Path:
    """A run's folder with its spec: `output`, or one that is called after the time and `name`."""
    folder = (output or settings.DATA_DIR / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}").resolve()
    if (folder / "spec.json").exists():
        raise wrong_use(f"{folder} already holds a run; go on with it by --resume, or choose another --output.")
    folder.mkdir(parents=True, exist_ok=True)
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


def existing_run(folder: Path) -> Path:
    if not (folder / "spec.json").is_file():
        raise wrong_use(f"{folder} is not a run's folder: it has no spec.json.")
    return folder.resolve()


def work(
    folder: Path, command: str, *, quietly: bool, module: str = "models_service.training"
) -> dict[str, Any]:
    """Do it, or go on with it; what the last event tells, with what the run came to under "result".

    Args:
        command: what to repeat when it was stopped.
        quietly: its log goes to standard error, so that a result can be printed alone.
        module: the program that does it.
    """
    status = _child(module, folder, sys.stderr if quietly else sys.stdout)
    if status == STOPPED:
        raise CommandError(f"Stopped; go on with: manage.py {command} --resume {folder}", returncode=STOPPED)
    if status:
        raise CommandError(f"It failed; {folder / 'log.txt'} says why. Once that is mended, go on "
                           f"with --resume {folder}.", returncode=1)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    results = [event["result"] for event in events if "result" in event]
    return {"result": results[-1] if results else {}, **events[-1]}


def _child(module: str, folder: Path, show_on: Any) -> int:
    """Ctrl-C reaches the child too, which keeps its checkpoint while this process waits for it."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-m", module, str(folder)], stdout=show_on,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, previous))
    forward = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.signal(signal.SIGTERM, forward)


def add_option(parser: ArgumentParser, name: str, field: FieldInfo) -> None:
    """A setting as an option. None stands for "not given", so that defaults live in the recipe alone."""
    default = "" if field.is_required() else f" (default: {field.get_default(call_default_factory=True)})"
    several = get_origin(field.annotation) is list
    parser.add_argument(
        f"--{name.replace('_', '-')}", dest=name, default=None, nargs="+" if several else None,
        type=Path if holds_paths(field.annotation) else str,
        metavar="FILE" if holds_paths(field.annotation) else "VALUE",
        help=((field.description or "") + default).strip().replace("%", "%%"),
    )
