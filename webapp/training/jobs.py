"""What people do with jobs: launch, measure, evaluate, pause, cancel, resume, start over, delete.

A running job is only asked here; its worker (`running.py`) acts on the row's new status within a second.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import ValidationError

from models_service.evaluation.summary_length import LENGTHS, length_of
from models_service.training.plan import Plan, varied
from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Conflict
from webapp.limits import meter
from webapp.training import overlaps, places, queueing, stream, subjects
from webapp.training.models import (
    RESUMABLE,
    TRAININGS,
    UNFINISHED,
    WAITING,
    DatasetVersion,
    Job,
    JobKind,
    JobStatus,
)

OF_THE_SITE = ("data", "first", "evaluation", "merge", "student", "keep_zeros")
"""Settings of a recipe that the site fills in itself."""
PLAN = tuple(Plan.model_fields)
MOST_MODELS = 4


def launch(
    task: str, data: DatasetVersion, options: Mapping[str, Any], user: User | None, *, name: str = "",
    kind: str = JobKind.TRAIN, cloned_from: Job | None = None,
) -> Job:
    """Queue a fine-tune, or with kind "measure" only the timing of a few of its steps.

    `options` are the recipe's settings and those of PLAN, which make the job a cross-validation or a search.

    Raises:
        BadInput: a setting cannot be used (`field` names it), or the data set cannot.
    """
    check_data(data, task)
    if not data.rows_train:
        raise BadInput(_("The data set has no training rows."), "data")
    plan = _checked_plan(task, options)
    settings = checked_options(task, {name: value for name, value in options.items() if name not in PLAN})
    if plan and settings.get("private_epsilon"):
        raise BadInput(_("A private training goes with neither folds nor trials: each of their trainings would tell "
                         "something of the same rows."), "private_epsilon")
    if kind == JobKind.TRAIN:
        kind = JobKind.FOLDS if "folds" in plan else JobKind.SEARCH if "trials" in plan else kind
    job = Job(kind=kind, task=task, name=name.strip()[:120], options={**settings, **plan}, data=data,
              data_label=str(data), cloned_from=cloned_from, created_by=user, queued_at=timezone.now())
    queued(job)
    for note in overlaps.notes([data]).get(data.pk, ()):
        stream.say(job.pk, note)
    return job


def evaluate(
    task: str, data: DatasetVersion, models: Sequence[str], user: User | None, *, limit: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Job:
    """Queue the measuring of one or more models on the held-out rows of a data set, all on the same rows."""
    check_evaluation(task, data)
    labels = list(dict.fromkeys(subjects.check_model(label, task) for label in models))
    if not 1 <= len(labels) <= MOST_MODELS:
        raise BadInput(_("Choose one to %(most)s models.") % {"most": MOST_MODELS}, "models")
    if limit is not None and limit < 1:
        raise BadInput(_("The limit must be at least 1."), "limit")
    chosen = evaluation_options(task, options or {})
    return queued(Job(
        kind=JobKind.EVALUATE, task=task, name=", ".join(labels)[:120], data=data, data_label=str(data),
        options={**chosen, "models": labels, **({"limit": limit} if limit else {})}, created_by=user,
        queued_at=timezone.now(),
    ))


def check_evaluation(task: str, data: DatasetVersion | None) -> None:
    """BadInput when models cannot be measured on it."""
    if data is None:
        raise BadInput(_("Choose a data set."), "data")
    check_data(data, task)
    if not data.rows_held_out:
        raise BadInput(_("The data set has no held-out rows to measure on."), "data")


def evaluation_options(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the task's evaluation needs or takes; BadInput names one that is missing or is not known."""
    measured = subjects.evaluation(task)
    chosen = {name: value for name, value in options.items() if value not in (None, "")}
    for name in measured.needs:
        if name not in chosen:
            raise BadInput(_("This evaluation needs the field “%(name)s”.") % {"name": name}, name)
    for name in chosen:
        if name not in (*measured.needs, *measured.takes):
            raise BadInput(_("This evaluation has no field “%(name)s”.") % {"name": name}, name)
    if "length" in chosen:
        try:
            chosen["length"] = length_of(str(chosen["length"]))
        except ValueError:
            raise BadInput(_("The length is one of %(names)s, or a number of words.")
                           % {"names": ", ".join(LENGTHS)}, "length") from None
    return chosen


def checked_options(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings as the recipe's types have them; BadInput names the first that cannot be used."""
    recipe = subjects.recipe(task).settings
    known = {name for name in recipe.model_fields if name not in OF_THE_SITE}
    unknown = sorted(set(options) - known)
    if unknown:
        raise BadInput(_("There is no setting “%(name)s”; there are: %(known)s.")
                       % {"name": unknown[0], "known": ", ".join(sorted(known))}, unknown[0])
    given = {name: _as_list(value) if get_origin(recipe.model_fields[name].annotation) is list else value
             for name, value in options.items() if value not in (None, "")}
    given.pop("base", None)
    begins_anew = options.get("base") == "" and not subjects.SUBJECTS[task].default_base
    base = "" if begins_anew else options.get("base") or subjects.default_base(task)
    if not base and subjects.SUBJECTS[task].needs_base:
        raise BadInput(_("Choose a model to start from. Where there is none, register one first."), "base")
    base = subjects.check_base(base, task) if base else ""
    # What the site fills in itself must not be missing now.
    needed = {name: ["data"] for name, field in recipe.model_fields.items() if name == "data" and field.is_required()}
    try:
        valid = recipe.model_validate({**given, **needed, **({"base": base} if base else {})})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise BadInput(_("%(setting)s: %(why)s") % {"setting": name.replace("_", " "), "why": first["msg"]},
                       name) from None
    values = valid.model_dump(mode="json")
    return {**{name: values[name] for name in given}, "base": base}


def _checked_plan(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: options[name] for name in PLAN if options.get(name) not in (None, "", [])}
    if "search" in given:
        given["search"] = _lines(given["search"])
    try:
        plan = Plan.model_validate(given)
        varied(subjects.recipe(task).settings, plan.search)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "search"
        raise BadInput(_("%(setting)s: %(why)s") % {"setting": name, "why": first["msg"]}, name) from None
    except ValueError as error:
        raise BadInput(_("%(setting)s: %(why)s") % {"setting": "search", "why": error}, "search") from None
    return plan.model_dump(exclude_defaults=True)


def _lines(value: Any) -> Any:
    """What a form's field of several lines holds."""
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    """Words of a form's field as a list of them."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def all_options(job: Job) -> dict[str, Any]:
    """The job's settings with the defaults of those that were not given, for comparing."""
    if job.kind not in (*TRAININGS, JobKind.MEASURE):
        return job.options
    recipe = subjects.recipe(job.task).settings
    settings = {name: job.options.get(name, field.get_default(call_default_factory=True))
                for name, field in recipe.model_fields.items() if name not in OF_THE_SITE}
    return {**settings, **{name: job.options[name] for name in PLAN if name in job.options}}


def cancel(job: Job) -> Job:
    """Stop it; a checkpoint is kept, so that it can be resumed."""
    return _stop(job, JobStatus.CANCELLING, JobStatus.CANCELLED, _("The job has ended already."))


def pause(job: Job) -> Job:
    """The same, for a job that is meant to go on."""
    return _stop(job, JobStatus.PAUSING, JobStatus.PAUSED, _("Only a job that waits or runs can be paused."))


def _stop(job: Job, asked: JobStatus, stopped: JobStatus, refusal: str) -> Job:
    now = timezone.now()
    mine = Job.objects.filter(pk=job.pk)
    done = mine.filter(status__in=WAITING, lease="").update(status=stopped, ended_at=now, updated_at=now)
    done = done or mine.filter(status__in=UNFINISHED).exclude(lease="").exclude(status=JobStatus.CANCELLING).update(
        status=asked, updated_at=now)
    job.refresh_from_db()
    if not done and job.status != asked:
        raise Conflict(refusal)
    record(Action.JOB_STOPPED, job, job=str(job.pk), asked=asked)
    return job


def resume(job: Job) -> Job:
    """Go on from the last checkpoint, or from the start where there is none."""
    return _again(job)


def start_over(job: Job) -> Job:
    """Forget the checkpoint and all that was reached, and begin anew with the same settings."""
    with transaction.atomic():  # nobody takes the job before its folder is gone
        again = _again(job, step=0, steps=0, figures={}, metrics={}, seconds=0)
        shutil.rmtree(places.job(job.pk), ignore_errors=True)
    return again


def _again(job: Job, **values: Any) -> Job:
    now = timezone.now()
    changed = Job.objects.filter(pk=job.pk, status__in=RESUMABLE, lease="").update(
        status=JobStatus.QUEUED, error="", error_code="", log_tail="", deaths=0, ended_at=None, queued_at=now,
        updated_at=now, **values,
    )
    if not changed:
        raise Conflict(_("Only a job that is paused, cancelled or failed can be started again."))
    job.refresh_from_db()
    queueing.queue(job)
    return job


def delete(job: Job) -> None:
    """The job and its folder; a model that it registered and its evaluations stay."""
    deleted, _rows = Job.objects.filter(pk=job.pk).exclude(status__in=UNFINISHED).delete()
    if not deleted:
        raise Conflict(_("Cancel the job first, then delete it."))
    shutil.rmtree(places.job(job.pk), ignore_errors=True)


def check_data(data: DatasetVersion, task: str) -> None:
    """BadInput when it is of another task, or nobody has agreed to what is left out."""
    if data.dataset.task != task:
        raise BadInput(_("This data set is for another task."), "data")
    if not data.is_accepted:
        raise BadInput(_("Rows of this data set could not be used. Open it and agree to leave them out, "
                         "or mend them."), "data")


def queued(job: Job) -> Job:
    """Saved and waiting; LimitReached when its owner has started too many."""
    meter.start_jobs(job.created_by)
    with transaction.atomic():
        job.save(force_insert=True)
        queueing.queue(job)
    stream.say(job.pk, "queued")
    return job
