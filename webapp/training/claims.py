"""Which job a training worker has: claimed by a lease that it renews, given back when it ends, freed when it dies."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from webapp.leases import is_of_the_dead, new_lease, this_machine
from webapp.training import places, stream
from webapp.training.models import AT_WORK, WAITING, Job, JobStatus

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
RENEW_SECONDS = 10

stopping = threading.Event()
"""Set when this process is asked to end: its job keeps a checkpoint and waits for the next worker."""


class Claim:
    """A job that is this process's to do."""

    def __init__(self, job_id: UUID, lease: str) -> None:
        self.job_id = job_id
        self._lease = lease
        self._taken = self._renewed = time.monotonic()

    @classmethod
    def take(cls, job_id: UUID) -> Claim | None:
        """The job, or None when it does not wait or someone else has it."""
        lease = new_lease()
        begins = JobStatus.RESUMING if (places.job(job_id) / "checkpoint").is_dir() else JobStatus.STARTING
        taken = Job.objects.filter(pk=job_id, status__in=WAITING, lease="").update(
            lease=lease, lease_until=_end(), status=begins, error="", error_code="", log_tail="", ended_at=None,
            started_at=timezone.now(), seconds_left=None, updated_at=timezone.now(),
        )
        return cls(job_id, lease) if taken else None

    def renew(self) -> bool:
        """Now and then; whether the job is still ours."""
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return True
        self._renewed = time.monotonic()
        return self.change(lease_until=_end())

    def change(self, *, only_if: tuple[str, ...] = (), **values: Any) -> bool:
        """Write to the row if it is still ours (and its status is one of `only_if`); whether that was so."""
        rows = self._row().filter(status__in=only_if) if only_if else self._row()
        return bool(rows.update(**values, updated_at=timezone.now()))

    def status(self) -> str | None:
        """The row's, which a person may change meanwhile; None when the job is no longer ours."""
        return self._row().values_list("status", flat=True).first()

    def give_back(self, status: str, *, only_if: tuple[str, ...] = (), **values: Any) -> bool:
        """The job as it stands at the end of this attempt; as with `change`, whether it was written."""
        return self.change(only_if=only_if, status=status, lease="", lease_until=None, seconds_left=None,
                           seconds=F("seconds") + time.monotonic() - self._taken, **values)

    def _row(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.job_id, lease=self._lease)


def free_lost_jobs() -> int:
    """Jobs whose worker died: those that are to go on wait again, those that were to stop have stopped."""
    freed = 0
    expired = Q(lease_until__lt=timezone.now())
    for job in Job.objects.filter(status__in=AT_WORK).exclude(lease="").filter(
        expired | Q(lease__startswith=f"{this_machine()}:")
    ):
        if job.lease_until > timezone.now() and not is_of_the_dead(job.lease):
            continue
        after = {JobStatus.CANCELLING: JobStatus.CANCELLED, JobStatus.PAUSING: JobStatus.PAUSED}
        status = after.get(JobStatus(job.status), JobStatus.LOST)
        if Job.objects.filter(pk=job.pk, lease=job.lease, status=job.status).update(
            status=status, lease="", lease_until=None, seconds_left=None, updated_at=timezone.now(),
        ):
            stream.say(job.pk, "the worker was lost; the job goes on from its last checkpoint"
                       if status == JobStatus.LOST else "the worker was lost while the job was being stopped")
            freed += 1
    return freed


def _end():
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
