"""A thread beside a process's work that writes what it gathered to Redis: times, errors, that it lives.

Whoever gathers never waits for Redis. While Redis is away everything stays in memory, in bounded numbers.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from webapp.ops import answer_times, processes, recent_errors, request_times
from webapp.ops.quick_redis import quick_redis

log = logging.getLogger(__name__)

EVERY_SECONDS = 3


class Reporter(threading.Thread):
    """Nothing that fails in it ends it."""

    def __init__(self, part: str) -> None:
        """`part` is what this process is: web, worker or trainer."""
        super().__init__(name="reporter", daemon=True)
        self._part = part
        self._stop_asked = threading.Event()
        recent_errors.i_am(part)

    def stop(self) -> None:
        """Take this process off the list, and end."""
        self._stop_asked.set()

    def run(self) -> None:
        while True:
            try:
                with suppress(RedisError, OSError), quick_redis(settings.REDIS_URL) as redis:
                    report(redis, self._part)
            except Exception:
                log.exception("how this process stands could not be written")
            if self._stop_asked.wait(EVERY_SECONDS):
                break
        with suppress(RedisError, OSError), quick_redis(settings.REDIS_URL) as redis:
            processes.sign_off(redis)


def report(redis: Redis, part: str) -> None:
    """Write everything that was gathered; raises RedisError or OSError."""
    processes.flush(redis, part)
    request_times.flush(redis)
    answer_times.flush(redis)
    recent_errors.flush(redis)
