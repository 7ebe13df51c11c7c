"""`python -m webapp.training.evaluating FOLDER`: measure the models that FOLDER/spec.json names, one after another.

The same code as `manage.py evaluate`. For each model a report-N.json and examples-N.jsonl, each row's result; a model
whose report is there is not measured again. Needs no database.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models_service.sealed import files
from models_service.training.run_folder import RunFolder
from webapp.ops.evaluations import TASKS, Order


def main(folder: Path) -> int:
    run = RunFolder(folder)
    try:
        spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        models = spec["models"]
        reports = [measured_once(run, spec, number, label, _progress(run, number, len(models)))
                   for number, label in enumerate(models)]
    except Exception as error:
        run.say(f"failed: {error}")
        run.event(failed="error", message=str(error))
        raise
    run.event(finished=True, reports=reports)
    return 0


def measured_once(
    run: RunFolder, spec: dict[str, Any], number: int, label: str, progress: Callable[[int, int], None],
    called: str = "",
) -> dict[str, Any]:
    """The report on the model `label`, a name or a directory, which the log calls `called`; the one that is there
    when it was measured before.

    `spec` has "task", "data", "models_folder" and "options", as an evaluation's spec.json.
    """
    file = run.path / f"report-{number}.json"
    if file.is_file():
        return json.loads(file.read_text(encoding="utf-8"))
    called = called or label
    run.say(f"measuring {called}")
    with files.create_text(run.path / f"examples-{number}.jsonl") as kept:
        order = Order(
            data=Path(spec["data"]), model=label, models_folder=Path(spec["models_folder"]),
            progress=progress, keep=lambda row: kept.write(_line(row)),
            **spec["options"],
        )
        report = TASKS[spec["task"]].run(order).model_dump(exclude_none=True)
    run.say(f"{called}: " + "  ".join(f"{name} {value:.4g}" for name, value in report["metrics"].items()))
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
    fresh.replace(file)
    return report


def _progress(run: RunFolder, number: int, models: int) -> Callable[[int, int], None]:
    started = False

    def progress(done: int, of: int) -> None:
        nonlocal started
        if not started:
            run.event(started=True, step=number * of, steps=models * of)
            started = True
        run.event(step=number * of + done, steps=models * of)

    return progress


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
