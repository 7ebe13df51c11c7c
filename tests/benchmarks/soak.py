"""Ten minutes at saturation with random cancels: is memory flat, is no slot stuck, is each request answered once?

Bare sockets, so that every frame the service sends is counted: each holds many requests of every kind in flight, of
one text up to many, and cancels some of them at any moment. The generator is the tests' own small one, whose slots
are what a cancel must free. `python -m tests.benchmarks.soak [--minutes N]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks._serving import Serving, passages, questions, serving
from tests.models_service.tiny_generator import save_tiny_generator

MINUTES = 10.0
SOCKETS = 8
IN_FLIGHT = 24
"""Requests of one socket at a time."""
CANCELLED = 0.25
SAMPLE_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
MB = 1_000_000
QUICK = {"minutes": 0.3}


def run(minutes: float = MINUTES) -> dict[str, Any]:
    """Prints what happened; raises AssertionError when a request was lost or a slot is stuck."""
    with tempfile.TemporaryDirectory(prefix="wenda-soak-") as folder:
        generator = Path(folder) / "generator"
        save_tiny_generator(generator)
        with serving("--models", folder + "/models", "--generator", str(generator)) as service:
            figures = asyncio.run(_soak(service, 60 * minutes))
    print(f"{minutes:g} minutes, {SOCKETS} sockets with {IN_FLIGHT} requests each: {figures['sent']} requests sent, "
          f"{figures['cancels_sent']} cancels")
    print(f"ended: {figures['ended']}; answered twice: {figures['twice']}, never: {figures['never']}")
    print(f"still waiting or held afterwards: {figures['left']:g}; the next request took "
          f"{figures['afterwards_ms']:.0f} ms")
    print(f"memory, MB: {figures['memory_early_mb']:.0f} in the second fifth, {figures['memory_late_mb']:.0f} in the "
          f"last ({figures['memory_growth']:+.1%})")
    assert not figures["twice"] and not figures["never"] and not figures["left"], "see above"
    return figures


async def _soak(service: Serving, seconds: float) -> dict[str, Any]:
    end = time.monotonic() + seconds
    ends: list[Counter[str]] = []
    codes: Counter[str] = Counter()
    cancels = [0]
    memory: list[float] = []
    watching = asyncio.create_task(_watch(service.process.pid, memory))
    sockets = [_Socket(service.url, number, end, codes, cancels) for number in range(SOCKETS)]
    ends = await asyncio.gather(*(socket.run() for socket in sockets))
    watching.cancel()
    sent = sum(len(socket.sent) for socket in sockets)
    fifth = max(len(memory) // 5, 1)
    early, late = median(memory[fifth : 2 * fifth] or memory), median(memory[-fifth:])
    left = await asyncio.to_thread(
        lambda: service.metric("wenda_models_waiting_inputs") + service.metric("wenda_models_texts_in_the_making")
    )
    return {
        "sent": sent, "cancels_sent": cancels[0], "ended": dict(codes),
        "twice": sum(count > 1 for one in ends for count in one.values()),
        "never": sent - sum(len(one) for one in ends), "left": left,
        "afterwards_ms": 1000 * await _one_more(service), "memory_mb": [round(one) for one in memory],
        "memory_early_mb": early, "memory_late_mb": late, "memory_growth": late / early - 1,
    }


class _Socket:
    """One client. Its ids are its own, and it knows which of them have ended how often."""

    def __init__(self, url: str, number: int, end: float, codes: Counter[str], cancels: list[int]) -> None:
        self.sent: set[str] = set()
        self._url = url
        self._number = number
        self._end = end
        self._codes = codes
        self._cancels = cancels
        self._rng = random.Random(number)
        self._ends: Counter[str] = Counter()
        self._open: dict[str, asyncio.Event] = {}

    async def run(self) -> Counter[str]:
        # No pings: on a machine whose processors are all taken, a late answer to one is no broken connection.
        async with connect(self._url, max_size=None, compression=None, proxy=None, ping_interval=None) as socket:
            listening = asyncio.create_task(self._listen(socket))
            try:
                await asyncio.gather(*(self._ask(socket, lane) for lane in range(IN_FLIGHT)))
                await asyncio.sleep(1)  # for an answer too many
            except ConnectionClosed as problem:
                self._codes[f"connection broken: {problem}"] += 1
            finally:
                listening.cancel()
        return self._ends

    async def _ask(self, socket: ClientConnection, lane: int) -> None:
        number = 0
        while time.monotonic() < self._end:
            number += 1
            name = f"{self._number}-{lane}-{number}"
            self.sent.add(name)
            ended = self._open[name] = asyncio.Event()
            await socket.send(json.dumps({"id": name, "client": str(lane % 8), **self._request()}))
            if self._rng.random() < CANCELLED:
                await asyncio.sleep(self._rng.expovariate(1 / 0.3))
                self._cancels[0] += 1
                await socket.send(json.dumps({"type": "cancel", "id": name}))
            # A request that is never answered is counted, not waited for.
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await ended.wait()
            except TimeoutError:
                return
            finally:
                self._open.pop(name, None)

    def _request(self) -> dict[str, Any]:
        kind = self._rng.choices(("embed", "read", "generate"), (4, 4, 2))[0]
        texts = self._rng.choices(_PASSAGES, k=self._rng.choice((1, 1, 1, 4, 16)))
        if kind == "embed":
            return {"type": "embed", "texts": texts}
        if kind == "read":
            return {"type": "read", "question": self._rng.choice(_QUESTIONS), "passages": texts[:8]}
        return {"type": "generate", "messages": [{"role": "user", "content": "The bridge over the strait"}],
                "max_tokens": self._rng.choice((1, 8, 64)), "seed": 1}

    async def _listen(self, socket: ClientConnection) -> None:
        while True:
            try:
                event = json.loads(await socket.recv())
            except ConnectionClosed:
                for ended in self._open.values():
                    ended.set()  # whose next frame then says that the connection is gone
                return
            if event["type"] not in ("done", "error"):
                continue
            self._ends[event["id"]] += 1
            self._codes[event.get("code", "done")] += 1
            if event["id"] in self._open:
                self._open[event["id"]].set()


_PASSAGES = passages(64)
_QUESTIONS = questions(32)


async def _watch(pid: int, memory: list[float]) -> None:
    process = psutil.Process(pid)
    while True:
        memory.append(process.memory_info().rss / MB)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _one_more(service: Serving) -> float:
    """Seconds of a request to the service at rest."""
    began = time.perf_counter()
    async with connect(service.url, compression=None, proxy=None) as socket:
        await socket.send(json.dumps({"id": "1", "type": "embed", "texts": ["one more"]}))
        while json.loads(await socket.recv())["type"] != "done":
            pass
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    run(parser.parse_args().minutes)
