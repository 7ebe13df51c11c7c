"""How a stop reaches the producer of an answer in whichever process it is: a list in Redis that it waits on."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from webapp import event_log

log = logging.getLogger(__name__)
KEPT_SECONDS = 60


def key(answer_id: int) -> str:
    return f"wenda:stop:{answer_id}"


async def ask_to_stop(redis: AsyncRedis, answer_id: int) -> None:
    await redis.rpush(key(answer_id), "stop")
    await redis.expire(key(answer_id), KEPT_SECONDS)


async def asked_to_stop(redis: AsyncRedis, answer_id: int, wait_seconds: float) -> bool:
    """Wait for a stop, at most this long."""
    return await redis.blpop([key(answer_id)], timeout=wait_seconds) is not None


def ask_all_to_stop(answer_ids: Iterable[int]) -> None:
    """A courtesy that saves work: these answers' rows are finished or gone already."""
    try:
        with event_log.sync_redis() as redis:
            for answer_id in answer_ids:
                redis.rpush(key(answer_id), "stop")
                redis.expire(key(answer_id), KEPT_SECONDS)
    except (RedisError, OSError) as error:
        log.warning("Redis does not answer (%s); an answer that nobody waits for is produced to its end", error)
