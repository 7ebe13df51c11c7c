"""`python -m models_service.training RUN_FOLDER`: train what RUN_FOLDER/spec.json asks for, or go on with it.

    spec.json   {"task", "settings"}; when the finished model is to be registered, also
                {"register": {"folder", "name"}, "card": what its card is to say beside its figures};
                "plan" where it is no single training (plan.py)

With --measure nothing is trained: a few steps are timed, and the last event says what the whole would take.

Exit status: 0 done, STOPPED, 1 failed; the last event says why.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from models_service.training import STOPPED
from models_service.training.finished import register
from models_service.training.folds import cross_validate
from models_service.training.loop import Stopped, train
from models_service.training.measure import measure
from models_service.training.plan import Plan, check_privacy
from models_service.training.recipes import RECIPES
from models_service.training.run_folder import RunFolder
from models_service.training.settings import LoopSettings


def main(folder: Path, *, only_measure: bool = False) -> int:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    run = RunFolder(folder)
    try:
        spec = json.loads((folder / "spec.json").read_text())
        recipe = RECIPES[spec["task"]]
        settings = recipe.settings.model_validate(spec["settings"])
        if only_measure:
            measured = measure(recipe.task(settings, run), settings)
            run.event(finished=True, measured=measured.model_dump())
            return 0
        finished = _work(spec, settings, run)
    except Stopped:
        return STOPPED
    except Exception as error:
        run.say(f"failed: {error}")
        run.event(failed=cause(error), message=str(error))
        raise
    run.event(finished=True, **finished)
    return 0


def _work(spec: dict[str, Any], settings: LoopSettings, run: RunFolder) -> dict[str, Any]:
    """What the last event is to tell: the metrics, the registered version, what a plan came to."""
    task, plan = spec["task"], Plan.model_validate(spec.get("plan", {}))
    check_privacy(settings, plan)
    if plan.folds:
        result = cross_validate(task, settings, run, plan.folds)
        return {"metrics": result["mean"], "result": result}
    if plan.trials:
        from models_service.training.search import search  # optuna takes a second

        found = search(task, settings, run, plan)
        card = spec.get("card", {})
        chosen = {"settings": {**card.get("settings", {}), **found.params}, "trial": found.best.path.name}
        spec = {**spec, "card": {**card, **chosen}}
        return {"metrics": found.metrics, "result": found.result, **_registered(found.best, spec, found.metrics)}
    made = RECIPES[task].task(settings, run)
    metrics = train(made, settings, run, RECIPES[task].goodness)
    if private := getattr(made, "private", None):
        spec = {**spec, "card": {**spec.get("card", {}), "privacy": private.promise()}}
    return {"metrics": metrics, **_registered(run, spec, metrics)}


def _registered(run: RunFolder, spec: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    return {"registered": register(run, spec, metrics).model_dump()} if "register" in spec else {}


def cause(error: Exception) -> str:
    """What kind of failure this is: "out_of_memory", "no_disk" or "error"."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        return "out_of_memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no_disk"
    return "error"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), only_measure="--measure" in sys.argv[2:]))
