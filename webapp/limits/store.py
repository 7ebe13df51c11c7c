"""The counters in Redis, which all processes share; each step is one script, so that none comes in between.

A counter counts up to its limit and ends by itself. What is under way at once is a set of slots, each of which ends
soon after its holder has died. While Redis does not answer nothing is counted and nothing refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

ANSWERS_WITHIN_SECONDS = 1.0
QUIET_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""
SLOT_MS = 60_000

_SPEND = """
local state, refused = {}, 0
for i, key in ipairs(KEYS) do
  local limit, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local used = tonumber(redis.call('get', key) or '0')
  state[i] = used
  if refused == 0 and limit >= 0 and used + math.max(cost, 1) > limit then refused = i end
end
local reply = {refused}
for i, key in ipairs(KEYS) do
  local cost, lasts = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  if refused == 0 and cost > 0 then
    state[i] = redis.call('incrby', key, cost)
    if redis.call('pttl', key) < 0 then redis.call('pexpire', key, lasts) end
  end
  reply[2 * i] = state[i]
  reply[2 * i + 1] = redis.call('pttl', key)
end
return reply
"""
_HOLD = """
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
local held = redis.call('zscore', KEYS[1], ARGV[1])
local limit = tonumber(ARGV[2])
if not held and limit >= 0 and redis.call('zcard', KEYS[1]) >= limit then return 0 end
redis.call('zadd', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('pexpire', KEYS[1], ARGV[3])
return 1
"""
_HELD = """
local time = redis.call('time')
return redis.call('zcount', KEYS[1], '(' .. (time[1] * 1000 + math.floor(time[2] / 1000)), '+inf')
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A counter and what is to be added to it. It refuses when more than `limit` would be reached; None: never.

    With a cost of 0 nothing is added, and it refuses when nothing is left.
    """

    key: str
    cost: int
    lasts_ms: int
    limit: int | None = None


@dataclass(frozen=True)
class Spent:
    """`refused` is the place of the entry that refused, None when all was spent."""

    used: Sequence[int]
    ends_in_ms: Sequence[int]
    refused: int | None


def spend(entries: Sequence[Entry]) -> Spent | None:
    """Add to all of the counters, or to none when one of them refuses. None: Redis does not answer."""
    arguments = [
        number for one in entries for number in (-1 if one.limit is None else one.limit, one.cost, one.lasts_ms)
    ]
    keys = [one.key for one in entries]
    reply = _ask(lambda redis: redis.eval(_SPEND, len(keys), *keys, *arguments))
    return reply and Spent(reply[1::2], reply[2::2], reply[0] - 1 if reply[0] else None)


def numbers(keys: Sequence[str]) -> list[int]:
    """What the counters show; 0 for one that there is not."""
    found = _ask(lambda redis: redis.mget(keys)) if keys else None
    return [int(value or 0) for value in found or [0] * len(keys)]


def hold(key: str, name: str, limit: int | None) -> bool:
    """Take a slot, or keep one; False when all of them are held by others."""
    reply = _ask(lambda redis: redis.eval(_HOLD, 1, key, name, -1 if limit is None else limit, SLOT_MS))
    return reply is None or bool(reply)


def free(key: str, name: str) -> None:
    _ask(lambda redis: redis.zrem(key, name))


def held(key: str) -> int:
    return _ask(lambda redis: redis.eval(_HELD, 1, key)) or 0


_quiet_until: dict[str, float] = {}


def _ask(question: Callable[[Redis], T]) -> T | None:
    url = settings.REDIS_URL
    if time.monotonic() < _quiet_until.get(url, 0):
        return None
    try:
        return question(_redis(url))
    except (RedisError, OSError) as error:
        _quiet_until[url] = time.monotonic() + QUIET_SECONDS
        log.warning("Redis does not answer (%s); what is used is not counted", error)
        return None


@cache
def _redis(url: str) -> Redis:
    """This process's connections, tried again once: a restart of Redis cuts those that are open."""
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1), socket_connect_timeout=ANSWERS_WITHIN_SECONDS,
                          socket_timeout=ANSWERS_WITHIN_SECONDS)
