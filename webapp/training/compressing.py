"""`python -m webapp.training.compressing FOLDER`: make the compressed model that FOLDER/spec.json asks for, measure
it and the original on the same rows, and register it.

The same code behind `manage.py compress` and a job of the dashboard. What was done before the process was cut off is
not done again. Needs no database.

    spec.json   {"method", "settings", "model": NAME@VERSION, "data": [files], "models_folder",
                 "evaluation": {"task", "data", "options", "rows"} or null,
                 "task", "register", "card" as a training's (models_service/training/__main__.py)}

Exit status: 0 done, STOPPED, 1 failed; the last event says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from transformers.utils import logging as transformers_logging

from models_service.compression import costs
from models_service.compression.making import Wanted, make
from models_service.compression.methods import METHODS
from models_service.evaluation.differences import differences
from models_service.model_files import told_form
from models_service.registry import Model, Registry, forms_told
from models_service.sealed import files
from models_service.training import STOPPED
from models_service.training.__main__ import cause
from models_service.training.finished import register
from models_service.training.loop import Stopped
from models_service.training.run_folder import RunFolder
from webapp.training.evaluating import measured_once

COSTS_FILE = "costs.json"


class LongerRun(RunFolder):
    """A run after whose training more steps come: the rows that both models are measured on."""

    def __init__(self, path: Path, after: int) -> None:
        super().__init__(path)
        self._after = after
        self.done = 0
        """Steps of the training; 0 while there was none."""

    def event(self, **fields: Any) -> None:
        if "steps" in fields:
            self.done = fields["steps"]
            fields["steps"] += self._after
        super().event(**fields)


def main(folder: Path) -> int:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    run = RunFolder(folder)
    try:
        spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        finished = _work(spec, folder)
    except (Stopped, KeyboardInterrupt):
        return STOPPED
    except Exception as error:
        run.say(f"failed: {error}")
        run.event(failed=cause(error), message=str(error))
        raise
    run.event(finished=True, **finished)
    return 0


def _work(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    wanted_rows = 2 * spec["evaluation"]["rows"] if spec["evaluation"] else 0
    run = LongerRun(folder, wanted_rows)
    models_folder = Path(spec["models_folder"])
    method = METHODS[spec["method"]]
    original = Registry(folder=models_folder, forms=forms_told()).find(spec["model"])
    run.say(f"{spec['method']} of {original.label}: {method.told}")
    run.event(started=True, step=0, steps=0)
    figures = make(Wanted(spec["method"], method.settings.model_validate(spec["settings"]), original,
                          [Path(one) for one in spec["data"]]), run)
    made = replace(original, source=str(run.model), version="compressed", form=told_form(run.model))
    both = {"before": original, "after": made}
    cost = _costs(spec, run, both, models_folder)
    reports = _reports(spec, run, both, wanted_rows)
    quality = _quality(run, reports)
    compared = {"method": spec["method"], "label": original.label, "figures": figures, "costs": cost,
                "quality": quality, "rows": reports[0]["n"] if reports else 0,
                "data": reports[0]["data"] if reports else ""}
    metrics = reports[1]["metrics"] if reports else {}
    card = {**spec["card"], "compression": compared}
    registered = register(run, {**spec, "card": card}, metrics)
    return {"registered": registered.model_dump(), "metrics": metrics, "result": {"compared": compared},
            "reports": reports}


def _costs(spec: dict[str, Any], run: RunFolder, both: dict[str, Model], models_folder: Path) -> dict[str, Any]:
    file = run.path / COSTS_FILE
    if not file.is_file():
        run.say("disk, memory and time of both are measured")
        data = Path(spec["evaluation"]["data"]) if spec["evaluation"] else None
        found = costs.measured(list(both.values()), models_folder, data)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({side: one.model_dump() for side, one in zip(both, found, strict=True)}))
        fresh.replace(file)
    return json.loads(file.read_text(encoding="utf-8"))


def _reports(spec: dict[str, Any], run: LongerRun, both: dict[str, Model], rows: int) -> list[dict[str, Any]]:
    """Of the original and of what was made of it; none where the quality is not measured."""
    if not spec["evaluation"]:
        run.say("no data to measure on was given, so nothing is said of the quality")
        return []
    order = {**spec["evaluation"], "models_folder": spec["models_folder"]}
    measured = [(both["before"].label, ""), (str(run.model), "what was made of it")]
    return [measured_once(run, order, number, label, _progress(run, run.done, number, rows // 2), called)
            for number, (label, called) in enumerate(measured)]


def _progress(run: RunFolder, before: int, number: int, rows: int) -> Callable[[int, int], None]:
    """Steps count on from those of a training."""
    def progress(done: int, of: int) -> None:
        each = rows or of
        RunFolder.event(run, step=before + number * each + done, steps=before + 2 * each)

    return progress


def _quality(run: RunFolder, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Of each metric both values with their intervals, and the paired difference."""
    if not reports:
        return {}
    sides = []
    for number, report in enumerate(reports):
        with files.open_text(run.path / f"examples-{number}.jsonl") as lines:
            sides.append((report["metrics"], report["intervals"], [json.loads(line) for line in lines]))
    told = differences(*sides, labelling=reports[0]["task"] if all(one.get("labelling") for one in reports) else "")
    return {name: {"before": value, "after": reports[1]["metrics"].get(name),
                   "before_interval": reports[0]["intervals"].get(name),
                   "after_interval": reports[1]["intervals"].get(name),
                   **({"paired": asdict(told[name])} if name in told else {})}
            for name, value in reports[0]["metrics"].items()}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
