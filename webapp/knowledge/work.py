"""A document that this process works on: the lease that keeps other tasks off it, and how far the work is.

A thread renews the lease and writes the progress, however busy or stuck the work is. A process that dies stops
renewing, and its document is free again: at once on the same machine, after LEASE_SECONDS elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.knowledge import progress
from webapp.knowledge.models import Document, DocumentStatus
from webapp.leases import is_of_the_dead, new_lease, this_machine

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
RENEW_SECONDS = 10
LOOK_SECONDS = 0.5
"""How often progress is written and shown."""

stopping = threading.Event()
"""Set when this process is asked to end: work on a document is handed back as soon as it can be."""


class WorkLost(Exception):
    """The document or its collection was deleted, or another task has it: give up quietly."""


class WorkStopped(Exception):
    """This process is about to end: hand the document back."""


def waiting() -> QuerySet[Document]:
    """Documents that nobody works on and that are not done."""
    unfinished = Document.objects.filter(status__in=[DocumentStatus.QUEUED, DocumentStatus.PROCESSING])
    return unfinished.filter(Q(lease="") | Q(lease_until__lt=timezone.now()))


def free_leases_of_the_dead() -> int:
    """Give back what processes of this machine held that are no longer alive; how many documents that freed."""
    freed = 0
    held = Document.objects.filter(lease__startswith=f"{this_machine()}:")
    for pk, lease in held.values_list("pk", "lease"):
        if is_of_the_dead(lease):
            freed += Document.objects.filter(pk=pk, lease=lease).update(lease="", lease_until=None)
    return freed


class Work:
    """A claimed document. As a context it renews the lease; leaving it gives the lease back.

    `done`, `total` and `note` (why it waits, "" when it does not) are set by whoever works and shown by the thread.
    """

    def __init__(self, document_id: UUID, lease: str) -> None:
        self.document_id = document_id
        self.lease = lease
        self.done = self.total = 0
        self.note = ""
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._written: tuple[int, int, str] = (0, 0, "")
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name=f"work-{document_id}", daemon=True)

    @classmethod
    def claim(cls, document_id: UUID) -> Work | None:
        """Take the document, or None when it is done, gone or someone else's."""
        lease = new_lease()
        taken = waiting().filter(pk=document_id).update(
            lease=lease, lease_until=_end_of_lease(), status=DocumentStatus.PROCESSING, error="",
            passages_done=0, passages_total=0, updated_at=timezone.now(),
        )
        return cls(document_id, lease) if taken else None

    def __enter__(self) -> Work:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.change(lease="", lease_until=None)

    def check(self) -> None:
        """WorkLost or WorkStopped when there is no use in going on."""
        if self._lost.is_set():
            raise WorkLost
        if stopping.is_set():
            raise WorkStopped

    def change(self, **values: Any) -> bool:
        """Write to the row if it is still ours; whether it was."""
        return bool(self._row().update(**values, updated_at=timezone.now()))

    def announce(self) -> None:
        document = Document.objects.filter(pk=self.document_id).first()
        if document is not None:
            progress.announce(document)

    def _row(self) -> QuerySet[Document]:
        return Document.objects.filter(pk=self.document_id, lease=self.lease)

    def _keep(self) -> None:
        try:
            while not self._ended.wait(LOOK_SECONDS) and not self._lost.is_set():
                try:
                    self._look()
                except DatabaseError as error:
                    log.warning("the lease of document %s could not be renewed now (%s)", self.document_id, error)
        finally:
            connections.close_all()

    def _look(self) -> None:
        state = (self.done, self.total, self.note)
        changed = state != self._written
        if changed or time.monotonic() - self._renewed > RENEW_SECONDS:
            if not self.change(lease_until=_end_of_lease()):
                self._lost.set()
                return
            if changed:
                # Only while it is read: how it ended, and why, may have been written a moment ago.
                self._row().filter(status=DocumentStatus.PROCESSING).update(
                    passages_done=state[0], passages_total=state[1], error=state[2]
                )
            self._written, self._renewed = state, time.monotonic()
            if changed:
                self.announce()
        elif not self._row().exists():
            self._lost.set()


def _end_of_lease():
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
