"""An engine whose work is to write letters large, when it is allowed to, and a queue that tells who has come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from models_service.batching import EngineQueue
from models_service.engines.base import Engine
from models_service.jobs import Entry, Job


class Letters(Engine[str, str, str, str]):
    """Gives each word back in capitals; a letter is a token. Computes only while its gate is open."""

    def __init__(self, batch_tokens: int = 10) -> None:
        self.name = "letters"
        self.batch_tokens = batch_tokens
        self.batches: list[list[str]] = []
        self.gate = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.closed = threading.Event()

    def load(self) -> None:
        if self.batch_tokens == 0:
            raise RuntimeError("no weights")

    def split(self, inputs: Sequence[str]) -> list[list[str]]:
        return [given.split() for given in inputs]

    def cost(self, piece: str) -> int:
        return len(piece)

    def compute(self, pieces: Sequence[str]) -> list[str]:
        self.batches.append(list(pieces))
        self.entered.release()
        assert self.gate.acquire(timeout=30)
        if "bad" in pieces:
            raise ValueError("bad")
        return [piece.upper() for piece in pieces]

    def join(self, given: str, results: Sequence[str]) -> str:
        return " ".join(results)

    def close(self) -> None:
        self.closed.set()

    def allow(self, batches: int = 1000) -> None:
        self.gate.release(batches)

    async def busy(self) -> None:
        """Wait until the next batch is being computed."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=30)


class WatchedQueue(EngineQueue):
    """Counts the requests that have come into line, and calls `before_batch` before it takes any of them."""

    arrived = 0
    before_batch: Callable[[], object] = staticmethod(lambda: None)

    def _take_batch(self) -> list[Entry]:
        self.before_batch()
        return super()._take_batch()

    async def _finish(self, job: Job) -> None:
        self.arrived += 1
        await super()._finish(job)


@asynccontextmanager
async def running(engine: Letters, **limits: int) -> AsyncIterator[WatchedQueue]:
    def opened() -> Letters:
        engine.load()
        return engine

    queue = WatchedQueue("letters", opened, **limits)
    life = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        engine.allow()
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


async def submitted(queue: WatchedQueue, inputs: list[str], client: str = "", **more: Any) -> asyncio.Task:
    """The request's task, once the request has come into line."""
    before = queue.arrived
    task = asyncio.create_task(queue.submit(inputs, client=client, **more))
    while queue.arrived == before and not task.done():
        await asyncio.sleep(0.001)
    return task
