"""What a training worker does beside single jobs: it shows that it lives, and finds jobs that nobody works on.

A message to the queue may be lost; what counts are the jobs' rows. So an idle worker asks for what waits.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, connections
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webapp import event_log
from webapp.ops import worker_pulse
from webapp.training import claims, queueing, rounds, running, watching
from webapp.training.models import WAITING, Job, Round

log = logging.getLogger(__name__)

BEAT_SECONDS = 3
QUEUED_FOR = timedelta(seconds=3)
"""A job younger than this is most likely still on its way through the queue."""

_at_work = threading.Lock()


def run(job_id: UUID) -> None:
    """One job, then the next that waits: whoever queued it may have found no Redis."""
    with _at_work:
        running.run(job_id)
    claims.free_lost_jobs()
    if not claims.stopping.is_set() and (following := queueing.next_waiting()):
        queueing.send(following.pk)


class Attendant(threading.Thread):
    """The thread beside the jobs. Nothing that fails in it ends it."""

    def __init__(self) -> None:
        super().__init__(name="attendant", daemon=True)
        self._stop_asked = threading.Event()
        self._serving: threading.Thread | None = None

    def stop(self) -> None:
        self._stop_asked.set()

    def run(self) -> None:
        while True:
            with suppress(RedisError, OSError), event_log.sync_redis() as redis:
                worker_pulse.beat(redis, worker_pulse.TRAINER)
            try:
                self._look_around()
            except (DatabaseError, OperationalError, RedisError, OSError) as error:
                log.warning("jobs that wait cannot be looked for now (%s)", error)
            except Exception:
                log.exception("looking for jobs that wait failed")
            if self._stop_asked.wait(BEAT_SECONDS):
                break
        connections.close_all()

    def _look_around(self) -> None:
        claims.free_lost_jobs()
        if _at_work.locked() or claims.stopping.is_set():
            return
        watching.queue_due()
        rounds.go_on()
        self._serve_what_passed()
        overdue = Job.objects.filter(status__in=WAITING, lease="", updated_at__lt=timezone.now() - QUEUED_FOR)
        found = overdue.order_by("queued_at").first()
        if found is not None:
            queueing.send(found.pk)

    def _serve_what_passed(self) -> None:
        """Beside this thread, which has to show that the worker lives while a model is loaded."""
        if self._serving is not None and self._serving.is_alive():
            return
        one = rounds.next_to_serve()
        if one is not None:
            self._serving = threading.Thread(target=_serve, args=(one,), name="promotion", daemon=True)
            self._serving.start()


def _serve(one: Round) -> None:
    try:
        rounds.serve(one)
    finally:
        connections.close_all()
