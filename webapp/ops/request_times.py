"""How long HTTP requests took in the last hour, by route and over all web processes: counted in buckets, in Redis."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis

BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 120_000)
"""Of the buckets; what takes longer than the last counts as it."""
SLOT_SECONDS = 300
LASTS_SECONDS = 3600
FAILED = "failed"
"""In the place of a bucket: requests answered with 500 or more."""

_lock = threading.Lock()
_gathered: Counter[tuple[int, str]] = Counter()
"""By slot and "route|bucket"."""


@dataclass(frozen=True)
class RouteTimes:
    """Of one route within about an hour; the milliseconds are read from buckets, so about right."""

    route: str
    count: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None


def saw(route: str, seconds: float, status: int) -> None:
    bucket = min(bisect_left(BOUNDS_MS, 1000 * seconds), len(BOUNDS_MS) - 1)
    slot = int(time.time() // SLOT_SECONDS)
    with _lock:
        _gathered[slot, f"{route}|{bucket}"] += 1
        if status >= 500:
            _gathered[slot, f"{route}|{FAILED}"] += 1


def flush(redis: Redis) -> None:
    """Write what was counted; raises RedisError or OSError, and then keeps it for the next time."""
    with _lock:
        taken = dict(_gathered)
        _gathered.clear()
    try:
        with redis.pipeline() as together:
            for (slot, field), count in taken.items():
                together.hincrby(_key(slot), field, count)
                together.expire(_key(slot), LASTS_SECONDS + 2 * SLOT_SECONDS)
            together.execute()
    except BaseException:
        oldest = int(time.time() // SLOT_SECONDS) - LASTS_SECONDS // SLOT_SECONDS
        with _lock:
            _gathered.update({key: count for key, count in taken.items() if key[0] >= oldest})
        raise


def by_route(redis: Redis) -> list[RouteTimes]:
    """Of the last hour, those that took longest at p95 first."""
    now = int(time.time() // SLOT_SECONDS)
    fields: Counter[str] = Counter()
    with redis.pipeline() as together:
        for slot in range(now - LASTS_SECONDS // SLOT_SECONDS, now + 1):
            together.hgetall(_key(slot))
        for kept in together.execute():
            fields.update({name.decode(): int(count) for name, count in kept.items()})
    counts: dict[str, list[int]] = {}
    failed: Counter[str] = Counter()
    for name, count in fields.items():
        route, _, bucket = name.rpartition("|")
        if bucket == FAILED:
            failed[route] = count
        else:
            counts.setdefault(route, [0] * len(BOUNDS_MS))[int(bucket)] += count
    times = [RouteTimes(route, sum(each), failed[route], within(each, 0.5), within(each, 0.95))
             for route, each in counts.items()]
    return sorted(times, key=lambda one: (-(one.p95_ms or 0), one.route))


def overall(routes: Iterable[RouteTimes]) -> tuple[int, int]:
    """How many requests, and how many of them failed."""
    known = list(routes)
    return sum(one.count for one in known), sum(one.failed for one in known)


def within(counts: Sequence[int], share: float) -> float | None:
    """The milliseconds that `share` (0 to 1) of the requests stayed within; evenly spread within a bucket."""
    wanted, below = share * sum(counts), 0
    for bucket, count in enumerate(counts):
        if count and below + count >= wanted:
            low = BOUNDS_MS[bucket - 1] if bucket else 0
            return round(low + (BOUNDS_MS[bucket] - low) * (wanted - below) / count, 1)
        below += count
    return None


def _key(slot: int) -> str:
    return f"wenda:ops:requests:{slot}"
