"""Hyper-parameter search (optuna, TPE): trainings with other settings each, bad ones pruned, the best model kept.

The trials are compared by the recipe's watched metric on the evaluation file, or where none is given on a fifth of
the documents, which they are not trained on. The study lies in the run's folder as study.journal, so
a search that was stopped or killed goes on, in the middle of a trial too.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState
from pydantic import ValidationError

from models_service.formats import splits
from models_service.training.loop import train
from models_service.training.optimizing import steps_of
from models_service.training.parts import Part, divided, rows_in
from models_service.training.plan import Plan, Varied, varied
from models_service.training.recipes import RECIPES, Recipe
from models_service.training.run_folder import RunFolder
from models_service.training.settings import LoopSettings

VALIDATION_FOLDS = 5
LOOKS = 4
"""Evaluations of a trial; after each of them but the last it may be pruned."""
TRIALS_BEFORE_PRUNING = 3
STUDY_FILE = "study.journal"
INTERRUPTED = "interrupted"


class Pruned(Exception):
    """The trial does worse than the median of those before it did at this point."""


@dataclass(frozen=True)
class Found:
    """The best trial, as a run of its own, and all of them: {"trials": [...], "best": number, "watched": name}."""

    best: Part
    params: dict[str, Any]
    metrics: dict[str, float]
    result: dict[str, Any]


class TrialRun(Part):
    """Tells the study each measurement and ends the training when the study has seen enough."""

    def __init__(self, whole: RunFolder, trial: Trial, recipe: Recipe, *, before: int, parts_after: int) -> None:
        super().__init__(whole, f"trial {trial.number}", before=before, parts_after=parts_after)
        self._trial, self._recipe = trial, recipe

    def event(self, **fields: Any) -> None:
        super().event(**fields)
        if not fields.get("metrics") or fields["step"] == fields["steps"]:
            return
        self._trial.report(self._recipe.value(fields["metrics"]), round(LOOKS * fields["step"] / fields["steps"]))
        if self._trial.should_prune():
            raise Pruned


def search(task: str, settings: LoopSettings, run: RunFolder, plan: Plan) -> Found:
    """Raises Stopped, FormatError as a training does; ValueError when no trial could be trained to its end."""
    recipe = RECIPES[task]
    space = varied(type(settings), plan.search)
    if not settings.evaluation:
        rows = rows_in(settings.data, recipe, run)
        held_out, *others = splits.folds(rows, recipe.rows, VALIDATION_FOLDS, settings.seed)
        run.say(f"the trials are compared on {len(held_out)} of {len(rows)} rows, which they are not trained on")
        train_on = [row for part in others for row in part]
        settings = divided(settings, recipe, run.path / "division", train_on, held_out)
    study = _study(run, recipe, settings.seed)
    _take_up(study, run)
    while len(counted := _counted(study)) < plan.trials:
        steps = sum(trial.user_attrs.get("steps", 0) for trial in counted)
        trial = study.ask()
        part = TrialRun(run, trial, recipe, before=steps, parts_after=plan.trials - len(counted) - 1)
        _attempt(study, trial, part, task, settings, space)
        _forget_all_but_best(study, run)
        run.event(result=_table(study, recipe))
    return _found(study, recipe, run)


def _study(run: RunFolder, recipe: Recipe, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = run.path / STUDY_FILE
    (run.path / f"{STUDY_FILE}.lock").unlink(missing_ok=True)  # of a process that was killed; a run has only one
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(
        storage=storage, study_name="search", load_if_exists=True,
        direction="minimize" if recipe.is_lower_better else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=TRIALS_BEFORE_PRUNING),
    )
    # The draws of a search that goes on follow from the seed and from the trials there are.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), n_startup_trials=5)
    return study


def _take_up(study: optuna.Study, run: RunFolder) -> None:
    """A trial that was in the middle when the process ended is the next one, with its checkpoint."""
    for cut_off in study.get_trials(states=[TrialState.RUNNING]):
        Trial(study, cut_off._trial_id).set_user_attr(INTERRUPTED, True)
        study.tell(cut_off.number, state=TrialState.FAIL)
        if cut_off.params:
            study.enqueue_trial(cut_off.params)
            folder = run.path / f"trial-{cut_off.number}"
            if folder.is_dir():
                folder.rename(run.path / f"trial-{len(study.trials) - 1}")


def _counted(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in study.trials if trial.state.is_finished() and INTERRUPTED not in trial.user_attrs]


def _attempt(
    study: optuna.Study, trial: Trial, part: TrialRun, task: str, settings: LoopSettings, space: list[Varied]
) -> None:
    recipe = RECIPES[task]
    params = {one.name: _drawn(trial, one) for one in space}
    part.say("  ".join(f"{name} {_shown(value)}" for name, value in params.items()))
    try:
        own = type(settings).model_validate({**settings.model_dump(), **params})
    except ValidationError as error:  # each setting may be had, but not all of them together
        part.say(f"cannot be trained: {error.errors()[0]['msg']}")
        study.tell(trial, state=TrialState.FAIL)
        return
    made = recipe.task(own, part)
    total = len(steps_of(made, own))
    own = own.model_copy(update={"evaluate_every": max(1, -(-total // LOOKS))})
    part.describe(task, own)
    try:
        metrics = train(made, own, part, recipe.goodness)
    except Pruned:
        part.say("pruned: it does worse than half of the trials before it did at this point")
        trial.set_user_attr("steps", part.steps)
        study.tell(trial, state=TrialState.PRUNED)
        part.end({})
        return
    trial.set_user_attr("steps", part.steps)
    trial.set_user_attr("metrics", metrics)
    part.end({"metrics": metrics}, keep_model=True)
    study.tell(trial, recipe.value(metrics))


def _drawn(trial: Trial, one: Varied) -> Any:
    if one.choices:
        return trial.suggest_categorical(one.name, one.choices)
    if one.is_whole:
        return trial.suggest_int(one.name, int(one.low), int(one.high), log=one.is_log)
    return trial.suggest_float(one.name, one.low, one.high, log=one.is_log)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _forget_all_but_best(study: optuna.Study, run: RunFolder) -> None:
    """Models are large; one is wanted."""
    if study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]):
        for trial in _counted(study):
            if trial.number != study.best_trial.number:
                shutil.rmtree(run.path / f"trial-{trial.number}" / "model", ignore_errors=True)


def _table(study: optuna.Study, recipe: Recipe) -> dict[str, Any]:
    rows = [{"number": trial.number, "state": trial.state.name.lower(), "params": trial.params,
             "value": _value(trial), "seconds": round(trial.duration.total_seconds(), 1)}
            for trial in _counted(study)]
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return {"trials": rows, "best": study.best_trial.number if complete else None, "watched": recipe.watched}


def _value(trial: optuna.trial.FrozenTrial) -> float | None:
    """Of a pruned trial what it had come to."""
    if trial.value is not None:
        return trial.value
    seen = trial.intermediate_values
    return seen[max(seen)] if seen else None


def _found(study: optuna.Study, recipe: Recipe, run: RunFolder) -> Found:
    if not study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]):
        raise ValueError("no trial could be trained to its end; the log says why. Vary other settings.")
    best = study.best_trial
    part = Part(run, f"trial {best.number}", before=0, parts_after=0)
    part.say(f"is the best: {recipe.watched} {best.value:.4g}")
    return Found(part, best.params, best.user_attrs["metrics"], _table(study, recipe))
