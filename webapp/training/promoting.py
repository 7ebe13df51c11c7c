"""Puts a model into use, by a rule: candidate and incumbent measured on the same held-out rows, the difference shown.

The rule: with 95 % certainty the candidate's main metric is no more than a setting's points below the incumbent's.
Whoever promotes against the rule says why. Every promotion and rollback is written down.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from models_service import version_files
from models_service.evaluation.differences import Difference, differences
from models_service.evaluation.report import SHARES
from models_service.formats.overlap import exact
from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import Registry
from models_service.sealed import files
from webapp.accounts.models import User
from webapp.errors import BadInput, Conflict, NotFound
from webapp.ops import served_models
from webapp.training import overlaps, places, rows_file, shelf, subjects
from webapp.training.models import DatasetVersion, Evaluation, Promotion


@dataclass
class Gate:
    """What is known about promoting `candidate` in place of `incumbent`; `verdict` is "passes", "fails", "unmeasured"
    or, where nothing is served yet, "first"."""

    name: str
    candidate: str
    incumbent: str
    task: str
    verdict: str
    margin: float
    main: str = ""
    differences: dict[str, Difference] = field(default_factory=dict)
    evaluations: tuple[Evaluation, Evaluation] | None = None
    seen_in_training: int = 0
    """Of the rows that both were measured on: how many have a text, or nearly one, that the candidate learned."""
    bytes_before: int = 0
    bytes_after: int = 0

    def figures(self) -> dict[str, Any]:
        return {name: asdict(one) for name, one in self.differences.items()}


def gate(name: str, version: str) -> Gate:
    """NotFound when there is no such version."""
    registry = subjects.registry()
    try:
        task = subjects.task_of(registry.version(name, version))
    except (ModelMissing, ModelUnusable) as problem:
        raise NotFound(str(problem)) from None
    incumbent = registry.live(name).current or ""
    main = subjects.SUBJECTS[task].main if task else ""
    made = Gate(name, version, incumbent, task, "first" if not incumbent else "unmeasured", margin(main), main=main,
                bytes_before=size(registry, name, incumbent), bytes_after=size(registry, name, version))
    if incumbent and task:
        _measure(made)
    return made


def margin(metric: str) -> float:
    """By how much it may fall, in its own unit: a point is 0.01 of a share."""
    points = float(settings.PROMOTE_MARGIN)
    return points / 100 if metric in SHARES else points


def _measure(made: Gate) -> None:
    """By the newest evaluations of both on the same rows."""
    for after in Evaluation.objects.filter(task=made.task, model=made.name, version=made.candidate):
        before = Evaluation.objects.filter(
            task=made.task, model=made.name, version=made.incumbent, data=after.data, n=after.n,
            condition=after.condition, data__isnull=False,
        ).first()
        if before is None:
            continue
        differences = compare(before, after)
        if made.main not in differences:
            continue
        made.evaluations, made.differences = (before, after), differences
        main = differences[made.main]
        worst = -main.high if made.main in subjects.LOWER_IS_BETTER else main.low
        made.verdict = "passes" if worst >= -made.margin else "fails"
        made.seen_in_training = _seen_in_training(made, after.data)
        return


def _seen_in_training(made: Gate, measured_on: DatasetVersion) -> int:
    """Rows of another data set may hold texts of the one that was trained on; within one the split sees to it."""
    version = next((one for one in shelf.versions(made.name) if one.version == made.candidate), None)
    trained_on = shelf.trained_on(version)
    if trained_on is None or trained_on == measured_on:
        return 0
    same = exact(list(rows_file.rows(measured_on, side="held-out")),
                 list(rows_file.rows(trained_on, side="train")), made.task)
    return same + overlaps.near(trained_on, measured_on)


def compare(before: Evaluation, after: Evaluation) -> dict[str, Difference]:
    """Each metric's difference, over the rows that both were measured on; empty when they are not the same rows."""
    if before.is_of != after.is_of:
        return {}
    one, other = ((each.metrics, each.intervals, examples(each)) for each in (before, after))
    return differences(one, other, labelling=after.task if before.labelling and after.labelling else "")


def examples(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Each row's result, in the data's order; none when the task keeps none."""
    try:
        with files.open_text(places.examples(evaluation.pk)) as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def promote(name: str, version: str, user: User | None, *, reason: str = "", against_rule: bool = False) -> Promotion:
    """Serve this version from now on.

    Raises:
        BadInput: the rule does not allow it, and nobody has said why it is to be broken.
        Conflict: the version does not serve; the one before goes on serving.
    """
    checked = gate(name, version)
    if version == checked.incumbent:
        raise Conflict(_("This version is served already."))
    allowed = checked.verdict in ("passes", "first")
    if not allowed and not against_rule:
        raise BadInput(_("Measure this version and the served one on the same data first.")
                       if checked.verdict == "unmeasured" else
                       _("The rule does not allow it: the version may be worse than the served one."), "version")
    if not allowed and not reason.strip():
        raise BadInput(_("Say why this version is to be served against the rule."), "reason")
    served = _serve(served_models.promote, name, version)
    return _note(served, name, user, reason=reason, is_against_rule=not allowed, figures={
        "verdict": checked.verdict, "differences": checked.figures(),
        "evaluations": [str(one.pk) for one in checked.evaluations or ()],
    })


def rollback(name: str, user: User | None, *, reason: str = "") -> Promotion:
    """Serve the version before again. Conflict when there is none, or it does not serve."""
    return _note(_serve(served_models.rollback, name), name, user, reason=reason, is_rollback=True)


def _serve(change: Any, *arguments: str) -> served_models.Served:
    try:
        return change(*arguments)
    except (ModelMissing, ModelUnusable, served_models.NotServed) as problem:
        raise Conflict(str(problem)) from None


def _note(served: served_models.Served, name: str, user: User | None, **values: Any) -> Promotion:
    return Promotion.objects.create(
        model=name, version=served.current, before=served.before or "", by=user,
        by_name=user.get_username() if user else "", **values,
    )


def size(registry: Registry, name: str, version: str) -> int:
    """Bytes of a version's files; 0 when it is not there."""
    try:
        return version_files.size_of(registry.version(name, version).directory())
    except (ModelMissing, ModelUnusable, OSError):
        return 0
