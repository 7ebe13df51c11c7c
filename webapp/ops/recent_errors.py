"""Warnings and errors of all processes of the site, for the Ops page: one row a place in the code, its newest line.

Whatever repeats itself is counted, so that a part that is away for an hour pushes nothing else out. They are gathered
in memory and written to Redis by the reporter; what cannot be written waits here, and is shown by this process.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from redis import Redis

from models_service.recent import told_error
from webapp.masking import masked

KEY, COUNTS = "wenda:ops:errors", "wenda:ops:error-counts"
KEPT_SECONDS = 24 * 3600
MOST_PLACES = 200
MOST_SHOWN = 50
REQUESTS = "django.request"
"""Logs how each request ended that was not answered well."""
NO_FAULT = 503
"""Another part is away, which its own line tells; below 500 whoever asked did something wrong."""


@dataclass(frozen=True)
class Fault:
    """`at` in seconds since 1970; `count` says how often within a day."""

    at: float
    level: str
    part: str
    where: str
    request_id: str
    message: str
    count: int = 1

    @property
    def place(self) -> str:
        return f"{self.part} {self.where}"


_lock = threading.Lock()
_gathered: dict[str, Fault] = {}
_part = "command"


def i_am(part: str) -> None:
    """What this process is called from now on: web, worker, trainer."""
    global _part
    _part = part


class RecentErrors(logging.Handler):
    """Writes nothing itself: whoever logs must not wait for Redis."""

    def emit(self, record: logging.LogRecord) -> None:
        told, where = told_error(record), ""
        if record.name == REQUESTS:
            status = getattr(record, "status_code", 500)
            if status < 500 or status == NO_FAULT:
                return
            match = getattr(getattr(record, "request", None), "resolver_match", None)
            where = (match.url_name or match.route) if match else ""
        _gather(Fault(told.at, told.level, _part, where or told.where, told.request_id, masked(told.message)))


def _gather(fault: Fault) -> None:
    with _lock:
        earlier = _gathered.get(fault.place)
        if earlier is None and len(_gathered) >= MOST_PLACES:
            return
        newest = fault if earlier is None or fault.at >= earlier.at else earlier
        _gathered[fault.place] = replace(newest, count=fault.count + (earlier.count if earlier else 0))


def flush(redis: Redis) -> None:
    """Write what was gathered; raises RedisError or OSError, and then keeps it for the next time."""
    with _lock:
        taken = dict(_gathered)
        _gathered.clear()
    if not taken:
        return
    try:
        with redis.pipeline() as together:
            for place, fault in taken.items():
                together.hset(KEY, place, json.dumps(asdict(fault)))
                together.hincrby(COUNTS, place, fault.count)
            for key in (KEY, COUNTS):
                together.expire(key, KEPT_SECONDS)
            together.execute()
        _forget_old(redis)
    except BaseException:
        for fault in taken.values():
            _gather(fault)
        raise


def _forget_old(redis: Redis) -> None:
    kept = _stored(redis)
    old = [fault.place for number, fault in enumerate(kept)
           if number >= MOST_PLACES or fault.at < time.time() - KEPT_SECONDS]
    if old:
        redis.hdel(KEY, *old)
        redis.hdel(COUNTS, *old)


def _stored(redis: Redis) -> list[Fault]:
    return sorted((Fault(**json.loads(value)) for value in redis.hvals(KEY)), key=lambda fault: -fault.at)


def newest_first(redis: Redis | None) -> Sequence[Fault]:
    """Of all processes; without a Redis of this one."""
    with _lock:
        faults = dict(_gathered)
    if redis is not None:
        counts = {place.decode(): int(count) for place, count in redis.hgetall(COUNTS).items()}
        for stored in _stored(redis):
            own = faults.get(stored.place)
            count = counts.get(stored.place, stored.count) + (own.count if own else 0)
            faults[stored.place] = replace(own or stored, count=count)
    return sorted(faults.values(), key=lambda fault: -fault.at)[:MOST_SHOWN]
