"""What a worker does for the graph's files beside single tasks: it finds those that nobody works on, and tidies up.

A message to the queue may be lost (Redis away, a worker killed that held it); what counts are the rows.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, connections
from django.utils import timezone

from webapp.graph import claims, services, storage
from webapp.graph.models import GraphSource
from webapp.knowledge import work as documents_at_work

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5
TIDY_SECONDS = 3600
QUEUED_FOR = timedelta(seconds=5)
"""A file younger than this is most likely still on its way through the queue."""
AT_ONCE = 20


class Sweeper(threading.Thread):
    """Nothing that fails in it ends it."""

    def __init__(self) -> None:
        super().__init__(name="graph-sweeper", daemon=True)

    def run(self) -> None:
        next_tidying = 0.0
        while not documents_at_work.stopping.wait(SWEEP_SECONDS):
            try:
                claims.free_leases_of_the_dead()
                sweep()
                if time.monotonic() >= next_tidying:
                    next_tidying = time.monotonic() + TIDY_SECONDS
                    tidy()
            except DatabaseError as error:
                log.warning("graph files cannot be looked for now (%s)", error)
            except Exception:
                log.exception("looking for graph files failed")
        connections.close_all()


def sweep() -> int:
    """Ask once more for the oldest files that nobody works on; asking twice does no harm."""
    overdue = claims.waiting().filter(updated_at__lt=timezone.now() - QUEUED_FOR).order_by("created_at")
    found = list(overdue[:AT_ONCE])
    if found:
        GraphSource.objects.filter(pk__in=[one.pk for one in found]).update(updated_at=timezone.now())
        for one in found:
            services.queue(one)
        log.info("%s graph files are asked for again", len(found))
    return len(found)


def tidy() -> int:
    """Remove files whose row is gone, or that never got one; how many that were."""
    removed = 0
    for folder in storage.files_folder().glob("*/"):
        with suppress(ValueError, FileNotFoundError):
            known = GraphSource.objects.filter(pk=UUID(folder.name)).exists()
            if not known and time.time() - folder.stat().st_mtime > TIDY_SECONDS:
                storage.delete_files(folder.name)
                removed += 1
    return removed
