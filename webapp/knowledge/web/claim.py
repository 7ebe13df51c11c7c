"""An import that this process works on: the lease that keeps other tasks off it. Rows say what is done, so that the
next process goes on where a killed one was.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.knowledge import work
from webapp.knowledge.web.models import UNFINISHED, ImportStatus, WebImport
from webapp.knowledge.work import WorkLost, WorkStopped
from webapp.leases import is_of_the_dead, new_lease, this_machine

LEASE_SECONDS = 240
"""Longer than the longest time without a call of `check`: a connection, or a sitemap being read."""
LOOK_SECONDS = 1.0


def waiting() -> QuerySet[WebImport]:
    """Imports that nobody works on and that are not done."""
    unfinished = WebImport.objects.filter(status__in=UNFINISHED)
    return unfinished.filter(Q(lease="") | Q(lease_until__lt=timezone.now()))


def free_leases_of_the_dead() -> list[UUID]:
    """Give back what processes of this machine held that are no longer alive; which imports that were."""
    held = WebImport.objects.filter(lease__startswith=f"{this_machine()}:")
    freed = []
    for pk, lease in held.values_list("pk", "lease"):
        if is_of_the_dead(lease) and WebImport.objects.filter(pk=pk, lease=lease).update(lease="", lease_until=None):
            freed.append(pk)
    return freed


class Claim:
    """A claimed import. As a context it gives the lease back in the end."""

    def __init__(self, import_id: UUID, lease: str) -> None:
        self.import_id = import_id
        self._lease = lease
        self._looked = time.monotonic()

    @classmethod
    def take(cls, import_id: UUID) -> Claim | None:
        """None when it is done, gone or someone else's."""
        lease = new_lease()
        taken = waiting().filter(pk=import_id).update(
            lease=lease, lease_until=_end_of_lease(), status=ImportStatus.RUNNING, updated_at=timezone.now())
        return cls(import_id, lease) if taken else None

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.change(lease="", lease_until=None)

    def check(self) -> None:
        """Raises WorkLost once it was cancelled, deleted or taken, and WorkStopped when this process is to end."""
        if work.stopping.is_set():
            raise WorkStopped
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if not self.change(lease_until=_end_of_lease()):
            raise WorkLost

    def change(self, **values: Any) -> bool:
        """Write to the row if it is still ours; whether it was."""
        own = WebImport.objects.filter(pk=self.import_id, lease=self._lease)
        return bool(own.update(**values, updated_at=timezone.now()))


def _end_of_lease() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
