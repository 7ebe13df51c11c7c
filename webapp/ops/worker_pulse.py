"""The worker's sign of life, in Redis: which process it is, renewed while it lives."""

from __future__ import annotations

import os
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

KEY = "wenda:worker"
LASTS_SECONDS = 45


def beat(redis: Redis) -> None:
    redis.set(KEY, os.getpid(), ex=LASTS_SECONDS)


def beats(redis_url: str, pid: int | None = None) -> bool:
    """Whether a worker lives; with `pid`, whether that process is it."""
    with suppress(RedisError, OSError), Redis.from_url(redis_url, socket_timeout=2) as client:
        value = client.get(KEY)
        return value is not None and (pid is None or int(value) == pid)
    return False
