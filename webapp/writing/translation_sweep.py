"""What a worker does for files beside single tasks: it finds those that nobody works on, and tidies up.

A message to the queue may be lost (Redis away, a worker killed that held it); what counts are the rows.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from webapp.knowledge import work as documents_at_work
from webapp.writing import translation_batches, translation_work
from webapp.writing.models import TranslationBatch, TranslationFile

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5
TIDY_SECONDS = 3600
QUEUED_FOR = timedelta(seconds=5)
"""A file younger than this is most likely still on its way through the queue."""
AT_ONCE = 20
GUESTS_KEPT = timedelta(days=7)
"""How long translated files of guests stay; those of people with accounts stay until they delete them."""


class Sweeper(threading.Thread):
    """Nothing that fails in it ends it."""

    def __init__(self) -> None:
        super().__init__(name="translation-sweeper", daemon=True)

    def run(self) -> None:
        next_tidying = 0.0
        while not documents_at_work.stopping.wait(SWEEP_SECONDS):
            try:
                translation_work.free_leases_of_the_dead()
                sweep()
                if time.monotonic() >= next_tidying:
                    next_tidying = time.monotonic() + TIDY_SECONDS
                    tidy()
            except DatabaseError as error:
                log.warning("files to translate cannot be looked for now (%s)", error)
            except Exception:
                log.exception("looking for files to translate failed")
        connections.close_all()


def sweep() -> int:
    """Ask once more for the oldest files that nobody works on; asking twice does no harm."""
    overdue = translation_work.waiting().filter(updated_at__lt=timezone.now() - QUEUED_FOR).order_by("created_at")
    found = list(overdue.values_list("pk", flat=True)[:AT_ONCE])
    if found:
        TranslationFile.objects.filter(pk__in=found).update(updated_at=timezone.now())  # not again in five seconds
        for pk in found:
            translation_batches.queue(pk)
        log.info("%s files to translate are asked for again", len(found))
    return len(found)


def tidy() -> int:
    """Remove folders whose row is gone, and what guests left long ago; how many that were."""
    from webapp.accounts.models import Role

    old = TranslationBatch.objects.filter(owner__role=Role.GUEST, created_at__lt=timezone.now() - GUESTS_KEPT)
    removed = 0
    for batch in old:
        translation_batches.delete(batch)
        removed += 1
    for place in (settings.DATA_DIR / "translations").glob("*/*"):
        try:
            known = TranslationFile.objects.filter(pk=UUID(place.name)).exists()
        except ValueError:
            continue
        if not known and time.time() - place.stat().st_mtime > TIDY_SECONDS:
            shutil.rmtree(place, ignore_errors=True)
            removed += 1
    return removed
