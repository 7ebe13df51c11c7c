"""Puts jobs into the training queue and says which comes next. The queue is a courtesy; what counts are the rows."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webapp.training.models import AT_WORK, WAITING, Job

log = logging.getLogger(__name__)


def queue(job: Job) -> None:
    """Ask a training worker for it, once the running transaction has ended."""
    transaction.on_commit(lambda: send(job.pk))


def send(job_id: UUID) -> None:
    from webapp.training.tasks import run

    try:
        run.delay(str(job_id))
    except (OperationalError, RedisError, OSError) as error:
        log.warning("the queue does not answer (%s); the worker will find job %s itself", error, job_id)


def next_waiting() -> Job | None:
    return Job.objects.filter(status__in=WAITING, lease="").order_by("queued_at").first()


def ahead_of(job: Job) -> list[Job]:
    """The jobs that this one waits for, the one at work first."""
    at_work = Job.objects.filter(status__in=AT_WORK).exclude(pk=job.pk).order_by("started_at")
    earlier = Job.objects.filter(status__in=WAITING, queued_at__lt=job.queued_at).exclude(pk=job.pk)
    return [*at_work, *earlier.order_by("queued_at")]
