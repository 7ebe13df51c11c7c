"""Measures the served model again and again on the same held-out rows; warns when it falls, takes it back if told to.

A training worker looks for watches that are due. An evaluation is judged against the best one of its watch: over
the same rows, by the task's main metric and the margin that promotions have.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.errors import BadInput, Conflict
from webapp.training import jobs, promoting, subjects
from webapp.training.models import UNFINISHED, DatasetVersion, Evaluation, Job, JobKind, Watch

LONGEST_HOURS = 24 * 31
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fall:
    """The newest evaluation of a watch beside the best one, by the main metric."""

    watch: Watch
    metric: str
    before: Evaluation
    after: Evaluation

    @property
    def values(self) -> tuple[float, float]:
        return self.before.metrics[self.metric], self.after.metrics[self.metric]


def add(
    data: DatasetVersion, every_hours: int, user: User | None, *, rolls_back: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Watch:
    """BadInput when the model could not be measured like this."""
    check_hours(every_hours)
    task = data.dataset.task
    jobs.check_evaluation(task, data)
    return Watch.objects.create(task=task, data=data, every_hours=every_hours, rolls_back=rolls_back,
                                options=jobs.evaluation_options(task, options or {}), created_by=user)


def check_hours(every_hours: int) -> None:
    """BadInput when one cannot look so often or so seldom."""
    if not 1 <= every_hours <= LONGEST_HOURS:
        raise BadInput(_("Choose from 1 to %(most)s hours.") % {"most": LONGEST_HOURS}, "every_hours")


def of(task: str) -> QuerySet[Watch]:
    return Watch.objects.filter(task=task).select_related("data__dataset", "good", "fallen")


def queue_due() -> list[Job]:
    """An evaluation for each watch whose time has come and whose last one has ended."""
    made = []
    now = timezone.now()
    for watch in Watch.objects.select_related("data__dataset", "last_job", "created_by"):
        is_early = watch.last_at is not None and watch.last_at + timedelta(hours=watch.every_hours) > now
        if is_early or (watch.last_job is not None and watch.last_job.status in UNFINISHED):
            continue
        if not Watch.objects.filter(pk=watch.pk, last_at=watch.last_at).update(last_at=now):
            continue  # another worker was quicker
        model = subjects.SUBJECTS[watch.task].model
        live = subjects.registry().live(model).current
        try:
            job = jobs.evaluate(watch.task, watch.data, [f"{model}@{live}"], watch.created_by, options=watch.options)
        except BadInput as problem:  # such as a model whose files are gone
            log.warning("%s cannot be measured on %s now: %s", model, watch, problem.message)
            continue
        Watch.objects.filter(pk=watch.pk).update(last_job=job)
        made.append(job)
    return made


def judge(job: Job) -> None:
    """Once a watch's evaluation has ended: is the model as good as it was? If not, and if told to, take it back."""
    watch = Watch.objects.filter(last_job=job).select_related("good", "created_by").first()
    after = job.evaluations.first()
    if job.kind != JobKind.EVALUATE or watch is None or after is None:
        return
    if watch.good is None or watch.good.is_of != after.is_of or _change(watch.good, after) >= 0:
        Watch.objects.filter(pk=watch.pk).update(good=after, fallen=None)
        return
    if _change(watch.good, after) >= -promoting.margin(subjects.SUBJECTS[after.task].main):
        Watch.objects.filter(pk=watch.pk).update(fallen=None)  # the better one stays: many small falls are a fall
        return
    Watch.objects.filter(pk=watch.pk).update(fallen=after)
    live = subjects.registry().live(after.model)
    if watch.rolls_back and (live.current, live.previous) == (after.version, watch.good.version):
        try:
            promoting.rollback(after.model, watch.created_by, reason=_("By itself: it fell on “%(data)s”.")
                               % {"data": after.data_label})
        except Conflict:
            return  # the warning stays


def _change(before: Evaluation, after: Evaluation) -> float:
    """By how much the main metric has become better."""
    main = subjects.SUBJECTS[after.task].main
    change = after.metrics[main] - before.metrics[main]
    return -change if main in subjects.LOWER_IS_BETTER else change


def falls() -> list[Fall]:
    """What is to be warned of: watches whose newest evaluation fell, while the version that fell is still served."""
    found = Watch.objects.filter(fallen__isnull=False, good__isnull=False).select_related("good", "fallen")
    registry = subjects.registry()
    return [Fall(watch, subjects.SUBJECTS[watch.task].main, watch.good, watch.fallen) for watch in found
            if registry.live(watch.fallen.model).current == watch.fallen.version]
