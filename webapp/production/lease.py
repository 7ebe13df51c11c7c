"""Says in Redis that a process is producing something; it ends by itself soon after that process does."""

from __future__ import annotations

from redis.asyncio import Redis as AsyncRedis

LASTS_MS = 8_000

_HOLD = """
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class Lease:
    """The lease of one thing that is produced, named as "answer:7", as the holder of `token` sees it."""

    def __init__(self, redis: AsyncRedis, name: str, token: str = "") -> None:
        self._redis = redis
        self._key = f"wenda:lease:{name}"
        self._token = token

    async def hold(self) -> bool:
        """Take it or renew it; False when another has it."""
        return bool(await self._redis.eval(_HOLD, 1, self._key, self._token, LASTS_MS))

    async def release(self) -> None:
        await self._redis.eval(_RELEASE, 1, self._key, self._token)

    async def is_held(self) -> bool:
        return bool(await self._redis.exists(self._key))
