"""Two hundred people at once, each with a chat open: is an event lost or doubled, how long do they wait, what does an
open socket take?

The whole site runs as `manage.py up` runs it. People ask about the help pages, each at any moment, so that questions
come steadily; every event's number is checked. Then IDLE sockets are opened beside them and do nothing.
`python -m tests.benchmarks load`, or `python -m tests.benchmarks.load [MINUTES]`
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks._serving import questions
from tests.benchmarks._site import running_site
from tests.running_site import Site, until

PEOPLE = 200
QUESTIONS_A_SECOND = 1.0
"""Of all people together."""
MINUTES = 10.0
IDLE = 2000
PATIENCE_SECONDS = 120
OPENED_AT_ONCE = 50
MB = 1_000_000
SETTINGS = {"WENDA_REQUESTS_PER_MINUTE": "1000000", "WENDA_AT_ONCE": "1000"}
"""All of them come from this machine as guests, who are one person to the limits."""
QUICK = {"people": 10, "minutes": 0.2, "idle": 50}


@dataclass
class _Seen:
    """What all people saw."""

    milliseconds: dict[str, list[float]] = field(
        default_factory=lambda: {"first event": [], "sources": [], "done": []})
    ends: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    lost: int = 0
    doubled: int = 0


def run(people: int = PEOPLE, minutes: float = MINUTES, idle: int = IDLE) -> dict[str, Any]:
    """Prints what happened; raises AssertionError when an event was lost or doubled, or a question never answered."""
    _let_open_files(4 * (people + idle))
    with running_site(**SETTINGS) as site:
        until(lambda: _help_is_read(site), 300, "the reading of the help pages")
        seen, memory = asyncio.run(_load(site, people, 60 * minutes, idle))
    _print(seen, memory, people, minutes, idle)
    assert not (seen.lost or seen.doubled or seen.ends["never"]), "see above"
    return {"people": people, "minutes": minutes, "asked": seen.asked, "ends": dict(seen.ends), "lost": seen.lost,
            "doubled": seen.doubled, "memory": memory, "milliseconds": _percentiles(seen)}


async def _load(site: Site, people: int, seconds: float, idle: int) -> tuple[_Seen, dict[str, float]]:
    address = site.address.replace("http", "ws", 1) + "/ws/chat/"
    seen = _Seen()
    guests = [await _guest(site) for _ in range(people)]
    async with AsyncExitStack() as stack:
        sockets = await _opened(stack, address, guests)
        end = time.monotonic() + seconds
        memory = {"web_before_mb": _web_memory(site)}
        await asyncio.gather(*(_person(number, socket, seen, people, end) for number, socket in enumerate(sockets)))
        memory["web_after_mb"] = _web_memory(site)
        await _opened(stack, address, guests[:1] * idle)
        await asyncio.sleep(2)
        memory["kb_an_idle_socket"] = 1000 * (_web_memory(site) - memory["web_after_mb"]) / max(idle, 1)
    return seen, memory


async def _guest(site: Site) -> dict[str, str]:
    """The headers of a socket of someone's own session."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(site.address + "/", follow_redirects=True)
    cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return {"Cookie": cookies, "Origin": site.address}


async def _opened(
    stack: AsyncExitStack, address: str, headers: Sequence[dict[str, str]]
) -> list[ClientConnection]:
    """A socket for each of these headers."""
    found: list[ClientConnection] = []
    for begin in range(0, len(headers), OPENED_AT_ONCE):
        found += await asyncio.gather(*(
            stack.enter_async_context(connect(address, additional_headers=own, proxy=None, open_timeout=60,
                                              ping_interval=None, compression=None))
            for own in headers[begin : begin + OPENED_AT_ONCE]
        ))
    return found


async def _person(number: int, socket: ClientConnection, seen: _Seen, people: int, end: float) -> None:
    """Asks, reads the answer to its end, waits a while, and asks again."""
    rng = random.Random(number)
    while True:
        pause = rng.expovariate(QUESTIONS_A_SECOND / people)
        if time.monotonic() + pause > end:
            return
        await asyncio.sleep(pause)
        await _ask(socket, rng.choice(_ASKED), seen)


async def _ask(socket: ClientConnection, question: str, seen: _Seen) -> None:
    seen.asked += 1
    numbers: Counter[int] = Counter()
    times: dict[str, float] = {}
    began = time.perf_counter()
    await socket.send(json.dumps({"type": "ask", "key": str(uuid.uuid4()), "question": question}))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "done" not in times:
                told = json.loads(await socket.recv())
                kind = told["event"]["type"] if "event" in told else told["type"]
                if "seq" in told:
                    numbers[told["seq"]] += 1
                now = 1000 * (time.perf_counter() - began)
                times.setdefault("first event", now)
                if kind == "error":
                    code = told.get("event", told).get("code", "error")
                    seen.ends[code] += 1
                    return
                if kind in ("sources", "done"):
                    times.setdefault(kind, now)
    except TimeoutError:
        seen.ends["never"] += 1
        return
    seen.ends["done"] += 1
    seen.doubled += sum(count - 1 for count in numbers.values())
    seen.lost += max(numbers) - min(min(numbers), 1) + 1 - len(numbers) if numbers else 0
    for name, taken in times.items():
        seen.milliseconds[name].append(taken)


_ASKED = questions(60)


def _help_is_read(site: Site) -> bool:
    counts = [httpx.get(f"{site.address}/api/v1/documents/", params=only, timeout=30, trust_env=False).json()["count"]
              for only in ({}, {"status": "ready"})]
    return counts[0] > 0 and counts[0] == counts[1]


def _web_memory(site: Site) -> float:
    return psutil.Process(site.pid("web")).memory_info().rss / MB


def _let_open_files(count: int) -> None:
    """For this process and the site that it starts."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, _soft), hard))


def _percentiles(seen: _Seen) -> dict[str, dict[str, float]]:
    return {name: {"p50": float(np.percentile(own, 50)), "p95": float(np.percentile(own, 95))}
            for name, own in seen.milliseconds.items() if own}


def _print(seen: _Seen, memory: dict[str, float], people: int, minutes: float, idle: int) -> None:
    print(f"{minutes:g} minutes, {people} chats open: {seen.asked} questions; ended: {dict(seen.ends)}; events lost: "
          f"{seen.lost}, doubled: {seen.doubled}")
    for name, row in _percentiles(seen).items():
        print(f"{name:>12}, milliseconds  p50 {row['p50']:>8.0f}  p95 {row['p95']:>8.0f}")
    print(f"memory of the web process, MB: {memory['web_before_mb']:.0f} at first, {memory['web_after_mb']:.0f} "
          f"afterwards; {memory['kb_an_idle_socket']:.0f} KB for each of {idle} idle sockets")


if __name__ == "__main__":
    run(minutes=float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES)
