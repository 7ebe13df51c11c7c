"""Numbered events that outlive the socket they were made for: one Redis stream per answer or document upload.

A producer appends; any number of followers read from any point and then wait for more. Both may be in different
processes, and either may restart. The log is a courtesy that expires; what must last is saved in the database.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

KEEP_SECONDS = 3600
WAIT_MS = 5000
READ_SECONDS = 2 * WAIT_MS / 1000
"""A server that is silent for this long is gone; longer than any command that waits on purpose."""


def async_redis(*, tries_again: bool = True) -> AsyncRedis:
    """A client for the running event loop; close it with `aclose()`.

    It tries once more, for a pooled connection that a restart of Redis has cut, and then says so at once: each caller
    has a better way to wait than its back-off of many seconds. Whoever must know of every restart, for what was not
    written meanwhile, has it not try again.
    """
    return AsyncRedis.from_url(
        settings.REDIS_URL, retry=Retry(NoBackoff(), int(tries_again)), socket_connect_timeout=2,
        socket_timeout=READ_SECONDS,
    )


def sync_redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL)


def _key(log: str) -> str:
    return f"wenda:events:{log}"


async def append(redis: AsyncRedis, log: str, seq: int, event: dict[str, Any]) -> None:
    """Add event number `seq` (from 1). Appending the same number twice keeps the first, so a retry is harmless."""
    try:
        await redis.xadd(_key(log), {"event": json.dumps(event)}, id=f"{seq}-0", maxlen=10_000)
    except Exception as error:
        if "equal or smaller" not in str(error):
            raise
    await redis.expire(_key(log), KEEP_SECONDS)


def append_sync(redis: Redis, log: str, event: dict[str, Any]) -> None:
    """Add an event whose number does not matter, from a worker."""
    redis.xadd(_key(log), {"event": json.dumps(event)}, maxlen=1_000)
    redis.expire(_key(log), KEEP_SECONDS)


async def clear(redis: AsyncRedis, log: str) -> None:
    await redis.delete(_key(log))


async def last_number(redis: AsyncRedis, log: str) -> int:
    """The number of the newest event; 0 when there is none."""
    rows = await redis.xrevrange(_key(log), count=1)
    return int(rows[0][0].split(b"-")[0]) if rows else 0


async def follow(
    redis: AsyncRedis, log: str, after: int = 0, *, wait_ms: int = WAIT_MS
) -> AsyncIterator[tuple[int, dict[str, Any]] | None]:
    """Yield (number, event) after number `after`, then wait for more; None each time nothing came for `wait_ms`."""
    position = f"{after}-0" if after else "0-0"
    while True:
        rows = await redis.xread({_key(log): position}, block=wait_ms, count=100)
        if not rows:
            yield None
            continue
        for identifier, fields in rows[0][1]:
            position = identifier.decode()
            yield int(position.split("-")[0]), json.loads(fields[b"event"])
