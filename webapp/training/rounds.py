"""Takes each round of a retraining one step further: trained, measured beside what is served, proposed or promoted.

A training worker does this every few seconds. How far a round has come is in its row, and a step is a change of the
row that only one worker can make, in one transaction with the job that it queues; so whoever is killed when, the
next one goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from models_service.formats.overlap import exact
from models_service.model_files import ModelMissing, ModelUnusable
from webapp.errors import SiteError
from webapp.training import corrections, jobs, promoting, retraining, rows_file, shelf, subjects
from webapp.training.models import DatasetVersion, Job, JobStatus, Promotion, Retraining, Round, Stage
from webapp.training.promoting import Gate

PUT_OFF = timedelta(minutes=10)
"""For so long is left alone what cannot be done now, such as a job above its owner's limit."""
SERVING_LASTS = timedelta(minutes=15)
"""A promotion that has taken longer was cut off with its worker."""
log = logging.getLogger(__name__)


def go_on() -> None:
    """Each round by one step at most, and a new one where a data set has grown."""
    for one in _free(Stage.TRAINING, Stage.MEASURING, Stage.PROPOSED):
        _carefully(one.retraining, one, lambda one=one: _STEPS[Stage(one.stage)](one))
    for found in Retraining.objects.select_related("dataset", "created_by"):
        _carefully(found, None, lambda found=found: _look(found))


def next_to_serve() -> Round | None:
    """What passed and promotes by itself; `serve` does it, which may take minutes."""
    found = _free(Stage.PASSED, Stage.SERVING)
    return next((one for one in found if not retraining.is_stopped(one.retraining)), None)


def _free(*stages: Stage) -> list[Round]:
    """Those that are at one of these stages and not left alone."""
    is_free = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return list(Round.objects.filter(is_free, stage__in=stages).select_related(
        "retraining__created_by", "retraining__dataset", "data__dataset", "training", "measuring"))


def _carefully(whose: Retraining, one: Round | None, step: Callable[[], None]) -> None:
    """In its owner's name and language; what goes wrong keeps no other from going on."""
    if retraining.is_stopped(whose):
        return
    with translation.override(whose.created_by.language):
        try:
            step()
        except SiteError as problem:
            if one is not None:
                _put_off(one, problem)
        except Exception:
            log.exception("the retraining of %s cannot go on now", whose)
            if one is not None:
                Round.objects.filter(pk=one.pk, stage=one.stage).update(not_before=timezone.now() + PUT_OFF)
            else:
                Retraining.objects.filter(pk=whose.pk).update(next_at=timezone.now() + PUT_OFF)


def _put_off(one: Round, problem: SiteError) -> None:
    """What is only too much now is tried later; all else ends the round."""
    if problem.retryable:
        Round.objects.filter(pk=one.pk, stage=one.stage).update(problem=problem.message,
                                                                not_before=timezone.now() + PUT_OFF)
    else:
        _move(one, Stage.BROKEN, problem=problem.message)


def _move(one: Round, stage: Stage, **values: object) -> bool:
    """False when another worker was quicker."""
    fresh = {"not_before": None, "problem": "", "stage": stage, **values}
    return bool(Round.objects.filter(pk=one.pk, stage=one.stage, not_before=one.not_before).update(**fresh))


def _look(one: Retraining) -> None:
    """When its time has come and nothing is under way: is there a version that nobody has trained on?"""
    now = timezone.now()
    if one.next_at > now or one.rounds.filter(stage__in=retraining.UNDER_WAY).exists():
        return
    problem = _take_corrections_in(one)
    newest = retraining.newest(one.dataset)
    data = newest if newest is not None and newest.number > one.trained_number else None
    next_at = now + timedelta(hours=one.every_hours)
    mine = Retraining.objects.filter(pk=one.pk, next_at=one.next_at, trained_number=one.trained_number)
    if data is None:
        mine.update(next_at=next_at, problem=problem)
        return
    begun = {"next_at": next_at, "trained_number": data.number, "problem": problem}
    try:
        jobs.check_evaluation(data.dataset.task, data)
        with transaction.atomic():
            if mine.update(**begun):
                Round.objects.create(retraining=one, data=data, training=retraining.launch(one, data))
    except SiteError as refused:
        with transaction.atomic():
            if refused.retryable:
                mine.update(next_at=now + PUT_OFF, problem=refused.message)
            elif mine.update(**begun):
                Round.objects.create(retraining=one, data=data, stage=Stage.BROKEN, problem=refused.message)


def _take_corrections_in(one: Retraining) -> str:
    """As a version of the data set, once enough of them wait; why that was not possible."""
    held = one.dataset.newest
    if not one.least_corrections or held is None:
        return ""
    if corrections.waiting(one.created_by, held.created_at) < one.least_corrections:
        return ""
    try:
        corrections.make(one.created_by)
    except SiteError as problem:
        return problem.message
    return ""


def _after_training(one: Round) -> None:
    if not _is_done(one, one.training):
        return
    result = one.training.result
    name, version = result.get("name", ""), result.get("version", "")
    if not version:
        _move(one, Stage.BROKEN, problem=_("Its training registered no version."))
        return
    incumbent = subjects.registry().live(name).current or ""
    made = {"model": name, "candidate": version, "incumbent": incumbent}
    if incumbent == version:  # a person was quicker
        _move(one, Stage.PROMOTED, **made)
        return
    both = [f"{name}@{each}" for each in (version, incumbent) if each]
    subjects.evaluation(one.data.dataset.task)  # imported before others wait for the transaction
    with transaction.atomic():
        if _move(one, Stage.MEASURING, **made):
            job = jobs.evaluate(one.data.dataset.task, one.data, both, one.retraining.created_by,
                                options=one.retraining.evaluation)
            Round.objects.filter(pk=one.pk).update(measuring=job)


def _after_measuring(one: Round) -> None:
    if not _is_done(one, one.measuring):
        return
    gate = promoting.gate(one.model, one.candidate)
    passes = gate.verdict == "passes"
    stage = (Stage.PROMOTED if gate.incumbent == one.candidate else Stage.REFUSED if gate.verdict == "fails"
             else Stage.PASSED if passes and one.retraining.promotes else Stage.PROPOSED)
    with transaction.atomic():
        if _move(one, stage, verdict=gate.verdict, incumbent=gate.incumbent, figures=_figures(gate),
                 seen=_seen_by_incumbent(one.data, gate)) and stage in (Stage.PASSED, Stage.PROPOSED):
            older = one.retraining.rounds.filter(stage=Stage.PROPOSED).exclude(pk=one.pk)
            older.update(stage=Stage.OVERTAKEN)


def _figures(gate: Gate) -> dict[str, object]:
    main = gate.differences.get(gate.main)
    return {"metric": gate.main, **asdict(main), "differences": gate.figures()} if main else {}


def _seen_by_incumbent(data: DatasetVersion, gate: Gate) -> int:
    """It may have learned from a version that was divided otherwise, or from another data set."""
    version = next((one for one in shelf.versions(gate.name) if one.version == gate.incumbent), None)
    learned = shelf.trained_on(version)
    if learned is None or learned.dataset.task != gate.task:
        return 0
    return exact(list(rows_file.rows(data, side="held-out")), list(rows_file.rows(learned, side="train")), gate.task)


def _proposed(one: Round) -> None:
    """A person may have put it into use, or deleted it."""
    registry = subjects.registry()
    if registry.live(one.model).current == one.candidate:
        _move(one, Stage.PROMOTED)
        return
    try:
        registry.version(one.model, one.candidate).directory()
    except (ModelMissing, ModelUnusable) as problem:
        _move(one, Stage.BROKEN, problem=str(problem))


def _is_done(one: Round, job: Job | None) -> bool:
    """A job that came to nothing ends the round, with its cause; a paused one waits for a person."""
    if job is not None and job.status == JobStatus.DONE:
        return True
    if job is None:
        _move(one, Stage.BROKEN, problem=_("Its job was deleted."))
    elif job.status == JobStatus.CANCELLED:
        _move(one, Stage.BROKEN, problem=_("Its job was cancelled."))
    elif job.status == JobStatus.FAILED:
        _move(one, Stage.BROKEN, problem=job.error)
    return False


def serve(one: Round) -> None:
    """Put it into use and write it down, if the rule still allows it; else it waits for a person."""
    if not _move(one, Stage.SERVING, not_before=timezone.now() + SERVING_LASTS):
        return
    owner, outcome, problem = one.retraining.created_by, Stage.PROPOSED, ""
    with translation.override(owner.language):
        reason = _("By itself: trained again on “%(data)s”, and the rule allows it.") % {"data": one.data}
        try:
            if subjects.registry().live(one.model).current != one.candidate:
                promoting.promote(one.model, one.candidate, owner, reason=reason)
            elif not Promotion.objects.filter(model=one.model, version=one.candidate).exists():
                # It was served, and its worker was killed before that was written down.
                Promotion.objects.create(
                    model=one.model, version=one.candidate, before=one.incumbent, by=owner,
                    by_name=owner.get_username(), reason=reason,
                    figures={"verdict": one.verdict, "differences": one.figures.get("differences", {})})
            outcome = Stage.PROMOTED
        except SiteError as refused:
            problem = refused.message
        except Exception:
            log.exception("%s@%s cannot be put into use by itself", one.model, one.candidate)
            problem = _("Something went wrong in the worker; its log says what.")
    Round.objects.filter(pk=one.pk, stage=Stage.SERVING).update(stage=outcome, problem=problem, not_before=None)


_STEPS: dict[Stage, Callable[[Round], None]] = {
    Stage.TRAINING: _after_training, Stage.MEASURING: _after_measuring, Stage.PROPOSED: _proposed,
}
