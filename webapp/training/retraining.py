"""A data set whose model is trained again whenever it has grown: set up, ended, and what came of it looked at.

The steps of the cycle are the training worker's (`rounds.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp import access
from webapp.accounts.models import User
from webapp.errors import BadInput, Conflict
from webapp.training import corrections, jobs, subjects, watching
from webapp.training.models import (
    RESUMABLE,
    Dataset,
    DatasetVersion,
    DataTask,
    Job,
    JobKind,
    JobStatus,
    Retraining,
    Round,
    Stage,
)

UNDER_WAY = (Stage.TRAINING, Stage.MEASURING, Stage.PASSED, Stage.SERVING)
ROUNDS_SHOWN = 5
MOST_CORRECTIONS = 10_000


@dataclass(frozen=True)
class Shown:
    """`is_stopped`: whoever set it up looks after the models no longer, so that nothing is done in their name."""

    retraining: Retraining
    rounds: list[Round]
    is_stopped: bool


def add(
    dataset: Dataset, every_hours: int, user: User, *, options: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None, least_corrections: int = 0, promotes: bool = False,
    trained_number: int | None = None,
) -> Retraining:
    """Look at the data set every so many hours.

    Args:
        options: of the training; it begins from what is served then, whatever base they name.
        least_corrections: once so many wait, a data set of corrections gets a version of them first; 0: never.
        trained_number: the version whose successors are trained on; by default the newest that has been.

    Raises:
        BadInput: the data set cannot be trained or measured on like this, or is looked at already.
    """
    watching.check_hours(every_hours)
    if not 0 <= least_corrections <= MOST_CORRECTIONS:
        raise BadInput(_("Choose from 0 to %(most)s corrections.") % {"most": MOST_CORRECTIONS}, "least_corrections")
    if least_corrections and (dataset.name, dataset.task) != (corrections.NAME, DataTask.QA):
        raise BadInput(_("Corrections become versions of the data set “%(name)s” only.")
                       % {"name": corrections.NAME}, "least_corrections")
    if dataset.task not in subjects.SUBJECTS:
        raise BadInput(_("This data set is for another task."), "data")
    jobs.check_evaluation(dataset.task, newest(dataset))
    made = Retraining(
        dataset=dataset, every_hours=every_hours, least_corrections=least_corrections, promotes=promotes,
        options=_without_base(jobs.checked_options(dataset.task, _without_base(options or {}))),
        evaluation=jobs.evaluation_options(dataset.task, evaluation or {}), created_by=user,
        trained_number=_trained_number(dataset) if trained_number is None else trained_number, next_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise BadInput(_("The model of this data set is trained again already. End that first."), "data") from None
    return made


def add_like(job: Job, every_hours: int, user: User, *, promotes: bool = False) -> Retraining:
    """With the settings of a finished fine-tune, for what its data set gets after the version that it learned."""
    if not can_repeat(job):
        raise BadInput(_("Only a finished fine-tune whose data set is still there can be repeated."), "job")
    return add(job.data.dataset, every_hours, user, options=job.options, evaluation=_direction(job),
               promotes=promotes, trained_number=job.data.number)


def _direction(job: Job) -> dict[str, str]:
    """The first one that a translator learned; nothing of another model."""
    if job.task != DataTask.TRANSLATE:
        return {}
    others = [code for code in job.data.report.get("languages", ()) if code != "en"]
    pairs = job.options.get("pairs") or [f"en-{code}" for code in others]
    return dict(zip(("source", "target"), pairs[0].split("-", 1), strict=True)) if pairs else {}


def can_repeat(job: Job) -> bool:
    return (job.kind, job.status) == (JobKind.TRAIN, JobStatus.DONE) and job.data is not None


def newest(dataset: Dataset) -> DatasetVersion | None:
    """The newest version that may be used."""
    return dataset.versions.filter(is_accepted=True).select_related("dataset").first()


def _without_base(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "base"}


def _trained_number(dataset: Dataset) -> int:
    trained = Job.objects.filter(kind=JobKind.TRAIN, status=JobStatus.DONE, data__dataset=dataset)
    return trained.aggregate(most=Max("data__number"))["most"] or 0


def launch(retraining: Retraining, data: DatasetVersion) -> Job:
    """Queue a training from what is served."""
    return jobs.launch(data.dataset.task, data, retraining.options, retraining.created_by,
                       name=_("%(data)s, by itself") % {"data": data})


def end(retraining: Retraining) -> None:
    """Its jobs stop; versions that were registered stay."""
    for one in retraining.rounds.filter(stage__in=UNDER_WAY).select_related("training", "measuring"):
        for job in filter(None, (one.training, one.measuring)):
            with suppress(Conflict):
                jobs.cancel(job)
    retraining.delete()


def take_over(retraining: Retraining, user: User) -> None:
    """What is done from now on is done in this person's name."""
    Retraining.objects.filter(pk=retraining.pk).update(created_by=user)


def is_stopped(retraining: Retraining) -> bool:
    return retraining.created_by is None or not access.may(retraining.created_by, "administer")


def dismiss(one: Round) -> None:
    if not Round.objects.filter(pk=one.pk, stage=Stage.PROPOSED).update(stage=Stage.DISMISSED):
        raise Conflict(_("Only what is proposed can be dismissed."))


def again(one: Round) -> None:
    """Try once more what came to nothing: its job goes on, or another one begins."""
    if is_stopped(one.retraining):
        raise Conflict(_("Take it over first: whoever set it up is no administrator any more."))
    stage, job = (Stage.MEASURING, one.measuring) if one.measuring else (Stage.TRAINING, one.training)
    with transaction.atomic():
        mine = Round.objects.filter(pk=one.pk, stage=Stage.BROKEN)
        if not mine.update(stage=stage, not_before=None, problem=""):
            raise Conflict(_("Only what came to nothing can be tried again."))
        if job is None:
            Round.objects.filter(pk=one.pk).update(training=launch(one.retraining, one.data))
        elif job.status in RESUMABLE:
            jobs.resume(job)


def of(task: str) -> list[Shown]:
    found = Retraining.objects.filter(dataset__task=task).select_related("dataset", "created_by")
    return [Shown(one, list(_rounds().filter(retraining=one)[:ROUNDS_SHOWN]), is_stopped(one)) for one in found]


def proposals() -> list[Round]:
    """What waits for a person: versions that were measured and are not served."""
    registry = subjects.registry()
    return [one for one in _rounds().filter(stage=Stage.PROPOSED)
            if registry.live(one.model).current != one.candidate]


def _rounds() -> QuerySet[Round]:
    return Round.objects.select_related("data__dataset", "training", "measuring")
