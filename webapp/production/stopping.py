"""How a stop reaches a producer in whichever process it is: a list in Redis, for "answer:7", that it waits on."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from webapp import event_log

log = logging.getLogger(__name__)
KEPT_SECONDS = 60


def key(name: str) -> str:
    return f"wenda:stop:{name}"


async def ask_to_stop(redis: AsyncRedis, name: str) -> None:
    await redis.rpush(key(name), "stop")
    await redis.expire(key(name), KEPT_SECONDS)


async def asked_to_stop(redis: AsyncRedis, name: str, wait_seconds: float) -> bool:
    """Wait for a stop, at most this long."""
    return await redis.blpop([key(name)], timeout=wait_seconds) is not None


def ask_all_to_stop(names: Iterable[str]) -> None:
    """A courtesy that saves work: the rows of these are finished or gone already."""
    try:
        with event_log.sync_redis() as redis:
            for name in names:
                redis.rpush(key(name), "stop")
                redis.expire(key(name), KEPT_SECONDS)
    except (RedisError, OSError) as error:
        log.warning("Redis does not answer (%s); what nobody waits for is produced to its end", error)
