"""The worker's sign of life, in Redis: which process it is, renewed while it lives."""

from __future__ import annotations

import os
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

WORKER, TRAINER = "worker", "trainer"
"""The worker that reads documents in, and the one that trains and evaluates."""
LASTS_SECONDS = 45


def beat(redis: Redis, name: str = WORKER) -> None:
    redis.set(_key(name), os.getpid(), ex=LASTS_SECONDS)


def beats(redis_url: str, pid: int | None = None, name: str = WORKER) -> bool:
    """Whether such a worker lives; with `pid`, whether that process is it."""
    with suppress(RedisError, OSError), Redis.from_url(redis_url, socket_timeout=2) as client:
        value = client.get(_key(name))
        return value is not None and (pid is None or int(value) == pid)
    return False


def _key(name: str) -> str:
    return f"wenda:{name}"
