"""Training runs of the command line: a folder with the spec of what is wanted, and the child that works it off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.management.base import CommandError
from pydantic import ValidationError

from models_service.training import STOPPED
from models_service.training.plan import Plan, varied
from models_service.training.recipes import RECIPES
from webapp.ops.command_line import wrong_use


def holds_paths(annotation: Any) -> bool:
    return annotation is Path or any(holds_paths(inner) for inner in get_args(annotation))


def new_run(task: str, options: Mapping[str, Any], output: Path | None, **more: Any) -> Path:
    """A folder with the spec of what the options ask for, and with `more` in it."""
    settings_type = RECIPES[task].settings
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
        if holds_paths(field.annotation) and values[name]:
            values[name] = _absolute(values[name])
    folder = (output or settings.DATA_DIR / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{task}").resolve()
    if (folder / "spec.json").exists():
        raise wrong_use(f"{folder} already holds a run; go on with it by --resume, or choose another --output.")
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"task": task, "settings": values, "plan": plan.model_dump(exclude_defaults=True), **more}
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


def work(folder: Path, command: str, *, quietly: bool) -> dict[str, Any]:
    """Train, or go on with it; what the last event tells, with what the run came to under "result".

    Args:
        command: what to repeat when it was stopped.
        quietly: its log goes to standard error, so that a result can be printed alone.
    """
    status = _child(folder, sys.stderr if quietly else sys.stdout)
    if status == STOPPED:
        raise CommandError(f"Stopped; go on with: manage.py {command} --resume {folder}", returncode=STOPPED)
    if status:
        raise CommandError(f"The training failed; {folder / 'log.txt'} says why. Once that is mended, go on "
                           f"with --resume {folder}.", returncode=1)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    results = [event["result"] for event in events if "result" in event]
    return {"result": results[-1] if results else {}, **events[-1]}


def _child(folder: Path, show_on: Any) -> int:
    """Ctrl-C reaches the child too, which keeps its checkpoint while this process waits for it."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-m", "models_service.training", str(folder)], stdout=show_on,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, previous))
    forward = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.signal(signal.SIGTERM, forward)
