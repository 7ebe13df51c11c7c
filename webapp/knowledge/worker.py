"""What a worker process does beside single tasks: it shows that it lives, and finds documents that nobody works on.

A message to the queue may be lost (Redis away, a worker killed that held it); what counts are the documents' rows.
So an idle worker with unfinished documents that nobody has claimed asks for them again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import UUID

from celery import Celery
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from models_service import trace
from models_service.client import ModelService
from webapp import event_log
from webapp.knowledge import ingestion, mending, quickening, tidying, work
from webapp.knowledge.web import bringing_in, sweeping
from webapp.ops import worker_pulse
from webapp.privacy import retention

log = logging.getLogger(__name__)

BEAT_SECONDS = 5
SWEEP_SECONDS = 5
TIDY_SECONDS = 3600
QUEUED_FOR = timedelta(seconds=5)
"""A document younger than this is most likely still on its way through the queue."""
AT_ONCE = 20
"""Documents asked for in one sweep; an idle worker sweeps again when it has done them."""
MODEL_PATIENCE_SECONDS = 5

_at_work = threading.Lock()


def ingest(document_id: UUID) -> None:
    """Read one document in, with the site's model service."""
    asked = trace.current.get()  # that of the upload, unless the document was found by a sweep
    with _models_at_work(asked if asked != trace.NONE else f"document-{document_id}") as (models, runner):
        ingestion.ingest(document_id, models, runner)


def mend(collection_id: UUID) -> None:
    """Embed some of a collection's passages again, with the site's model service."""
    with _models_at_work(f"collection-{collection_id}") as (models, runner):
        mending.mend(collection_id, models, runner)


def give_codes(collection_id: UUID) -> None:
    """Give one large segment of a collection's index short codes."""
    with _at_work:
        quickening.give_codes(collection_id)


@contextmanager
def _models_at_work(request: str) -> Iterator[tuple[ModelService, asyncio.Runner]]:
    """The model service, and where it is awaited; `request` is what the logs of both sides call the work."""
    token = trace.current.set(request)
    with _at_work, asyncio.Runner() as runner:
        models = ModelService(lambda: settings.MODELS_SERVICE_URLS, MODEL_PATIENCE_SECONDS)
        try:
            yield models, runner
        finally:
            runner.run(models.close())
            trace.current.reset(token)


def bring_in(import_id: UUID) -> float | None:
    """Fetch some of an import from the web; in how many seconds to go on, or None when nothing is left to do."""
    token = trace.current.set(f"import-{import_id}")
    try:
        with _at_work:
            return bringing_in.step(import_id)
    finally:
        trace.current.reset(token)


class Attendant(threading.Thread):
    """The thread beside the tasks. Nothing that fails in it ends it."""

    def __init__(self) -> None:
        super().__init__(name="attendant", daemon=True)
        self._stop_asked = threading.Event()
        self._next_sweep = self._next_tidying = 0.0

    def stop(self) -> None:
        self._stop_asked.set()

    def run(self) -> None:
        try:
            work.free_leases_of_the_dead()
        except DatabaseError as error:
            log.warning("documents of dead workers cannot be freed now (%s); their leases run out", error)
        while True:
            with suppress(RedisError, OSError), event_log.sync_redis() as redis:
                worker_pulse.beat(redis)
            try:
                self._look_around()
            except (DatabaseError, OperationalError, RedisError, OSError) as error:
                log.warning("unfinished documents cannot be looked for now (%s)", error)
            except Exception:
                log.exception("looking for unfinished documents failed")
            if self._stop_asked.wait(BEAT_SECONDS):
                break
        connections.close_all()

    def _look_around(self) -> None:
        now = time.monotonic()
        if _at_work.locked() or work.stopping.is_set() or now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        if not sweep() and not sweep_indexes():
            sweep_codes()
        sweeping.sweep()
        if now >= self._next_tidying:
            self._next_tidying = now + TIDY_SECONDS
            tidying.tidy()
            retention.tidy()


def sweep() -> int:
    """Ask for the oldest documents that nobody works on and that are not in the queue; how many that were."""
    from webapp.knowledge.tasks import ingest as task

    overdue = work.waiting().filter(updated_at__lt=timezone.now() - QUEUED_FOR).order_by("created_at")
    found = [str(pk) for pk in overdue.values_list("pk", flat=True)[:AT_ONCE]]
    if not found or not _queue_is_empty(task.app):
        return 0
    for pk in found:
        task.delay(pk)
    log.info("%s unfinished documents are asked for again", len(found))
    return len(found)


def sweep_indexes() -> int:
    """Ask that the first collection be mended whose passages lack vectors; how many those are."""
    from webapp.knowledge.tasks import mend as task

    found = mending.needy()
    if found and _queue_is_empty(task.app):
        task.delay(str(found[0]))
    return len(found)


def sweep_codes() -> int:
    """Ask for short codes for the first collection with a large segment that has none; how many those are."""
    from webapp.knowledge.tasks import give_codes as task

    found = quickening.uncoded()
    if found and _queue_is_empty(task.app):
        task.delay(str(found[0]))
    return len(found)


def _queue_is_empty(app: Celery) -> bool:
    """Whether no message waits that may be about the same documents."""
    with app.connection_for_read() as connection:
        try:
            declared = connection.default_channel.queue_declare(app.conf.task_default_queue, passive=True)
        except connection.channel_errors:  # an empty queue is none to Redis
            return True
        return not declared.message_count
