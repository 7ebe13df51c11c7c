"""The workers' sign of life, in Redis: which processes they are, renewed while they live. There may be several."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

from webapp.ops.quick_redis import quick_redis

WORKER, TRAINER = "worker", "trainer"
"""A worker that reads documents in, and one that trains and evaluates."""
LASTS_SECONDS = 45


def beat(redis: Redis, name: str = WORKER) -> None:
    now = time.time()
    redis.zadd(_key(name), {_member(os.getpid()): now + LASTS_SECONDS})
    redis.zremrangebyscore(_key(name), "-inf", now)
    redis.expire(_key(name), 2 * LASTS_SECONDS)


def beats(redis_url: str, pid: int | None = None, name: str = WORKER) -> bool:
    """Whether such a worker lives; with `pid`, whether that process of this machine is one."""
    with suppress(RedisError, OSError), quick_redis(redis_url) as client:
        if pid is None:
            return client.zcount(_key(name), time.time(), "+inf") > 0
        until = client.zscore(_key(name), _member(pid))
        return until is not None and until > time.time()
    return False


def _member(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


def _key(name: str) -> str:
    return f"wenda:alive:{name}"
