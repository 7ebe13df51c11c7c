"""k-fold cross-validation: how good a model of these settings becomes, and how much that hangs on the division.

The rows are divided by document, so that no text stands on both sides. Each fold is trained without and measured on
once. No model comes of it: train one with the settings that did well.
"""

from __future__ import annotations

import statistics
from typing import Any

from models_service.formats import splits
from models_service.training.loop import train
from models_service.training.parts import Part, divided, rows_in
from models_service.training.recipes import RECIPES
from models_service.training.run_folder import RunFolder
from models_service.training.settings import LoopSettings


def cross_validate(task: str, settings: LoopSettings, run: RunFolder, count: int) -> dict[str, Any]:
    """{"folds": [{"rows", "metrics"}], "mean": {name: value}, "deviation": {...}}; goes on where it was stopped.

    The deviation is the sample's standard deviation over the folds.

    Raises:
        Stopped, FormatError: as for a training; also when there are fewer documents than folds.
    """
    recipe = RECIPES[task]
    folds = splits.folds(rows_in(settings.data, recipe, run), recipe.rows, count, settings.seed)
    done: list[dict[str, Any]] = []
    steps = 0
    for number, held_out in enumerate(folds):
        part = Part(run, f"fold {number + 1}", before=steps, parts_after=count - number - 1)
        result = part.result()
        if result is None:
            others = [row for other, rows in enumerate(folds) if other != number for row in rows]
            own = divided(settings, recipe, part.path, others, held_out)
            part.describe(task, own)
            metrics = train(recipe.task(own, part), own, part, recipe.goodness)
            result = {"rows": len(held_out), "metrics": metrics, "steps": part.steps}
            part.end(result)
        steps += result["steps"]
        done.append({name: result[name] for name in ("rows", "metrics")})
        run.event(result=summary(done))
    return summary(done)


def summary(folds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the metrics that every fold has."""
    names = [name for name in folds[0]["metrics"] if all(name in fold["metrics"] for fold in folds)]
    values = {name: [fold["metrics"][name] for fold in folds] for name in names}
    return {
        "folds": folds, "mean": {name: statistics.fmean(own) for name, own in values.items()},
        "deviation": {name: statistics.stdev(own) if len(own) > 1 else 0.0 for name, own in values.items()},
    }
