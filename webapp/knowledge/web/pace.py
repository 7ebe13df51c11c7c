"""Pauses between two requests to one host, whichever worker makes them."""

from __future__ import annotations

import time
from contextlib import suppress

from redis.exceptions import RedisError

from webapp import event_log

_taken_here: dict[str, float] = {}
"""Host to when it may be asked again, of time.monotonic, for when Redis is away."""


def take_turn(host: str, pause: float) -> float:
    """Seconds until the host may be asked; at 0 the turn is taken, and the next comes `pause` seconds later."""
    with suppress(RedisError, OSError), event_log.sync_redis() as redis:
        if redis.set(_key(host), 1, nx=True, px=_milliseconds(pause)):
            return 0.0
        return max(redis.pttl(_key(host)), 1) / 1000
    now = time.monotonic()
    if _taken_here.get(host, 0.0) > now:
        return _taken_here[host] - now
    for other in [other for other, until in _taken_here.items() if until <= now]:
        del _taken_here[other]
    _taken_here[host] = now + pause
    return 0.0


def hold(host: str, seconds: float) -> None:
    """Let nobody ask the host for so long: it did not answer, or asked for a pause."""
    _taken_here[host] = time.monotonic() + seconds
    with suppress(RedisError, OSError), event_log.sync_redis() as redis:
        redis.set(_key(host), 1, px=_milliseconds(seconds))


def _key(host: str) -> str:
    return f"wenda:web-pace:{host}"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
