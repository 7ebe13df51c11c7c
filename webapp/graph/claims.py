"""Which source a process works on: claimed by a lease that it renews, given back when it ends, freed when it dies."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from webapp.graph.models import UNFINISHED, GraphSource, GraphStatus
from webapp.leases import is_of_the_dead, new_lease, this_machine

LEASE_SECONDS = 60
RENEW_SECONDS = 10


def waiting() -> QuerySet[GraphSource]:
    """Sources that nobody works on and that are not done."""
    unfinished = GraphSource.objects.filter(status__in=UNFINISHED)
    return unfinished.filter(Q(lease="") | Q(lease_until__lt=timezone.now()))


def free_leases_of_the_dead() -> None:
    """Give back what processes of this machine held that are no longer alive."""
    held = GraphSource.objects.filter(lease__startswith=f"{this_machine()}:")
    for pk, lease in held.values_list("pk", "lease"):
        if is_of_the_dead(lease):
            GraphSource.objects.filter(pk=pk, lease=lease).update(lease="", lease_until=None)


class Claim:
    """A source that is this process's to import or to remove."""

    def __init__(self, source_id: UUID, lease: str) -> None:
        self.source_id = source_id
        self._lease = lease
        self._renewed = time.monotonic()

    @classmethod
    def take(cls, source_id: UUID) -> Claim | None:
        """None when the source is done, gone or someone else's."""
        lease = new_lease()
        begins = Case(When(status=GraphStatus.REMOVING, then=Value(GraphStatus.REMOVING)),
                      default=Value(GraphStatus.IMPORTING))
        taken = waiting().filter(pk=source_id).update(
            lease=lease, lease_until=_end(), status=begins, error="", bytes_done=0, triples=0,
            updated_at=timezone.now(),
        )
        return cls(source_id, lease) if taken else None

    def status(self) -> str | None:
        """The row's, which a person may change meanwhile; None when it is gone or no longer ours."""
        return self._row().values_list("status", flat=True).first()

    def renew(self) -> None:
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            self.change(lease_until=_end())

    def change(self, *, only_if: str = "", **values: Any) -> bool:
        """Write to the row if it is still ours (and its status is `only_if`); whether that was so."""
        rows = self._row().filter(status=only_if) if only_if else self._row()
        return bool(rows.update(**values, updated_at=timezone.now()))

    def give_back(self) -> None:
        self.change(lease="", lease_until=None)

    def _row(self) -> QuerySet[GraphSource]:
        return GraphSource.objects.filter(pk=self.source_id, lease=self._lease)


def _end() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
