"""The asynchronous side of a causal engine: a stream for each request, and one task that takes the steps for all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from models_service.engines.generating import Finish, Generation, Generator
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.model_files import ModelMissing, ModelUnusable

if TYPE_CHECKING:  # it brings the model libraries with it, which are not to be imported by two threads at once
    from models_service.engines.causal import CausalEngine

PACE_SECONDS = 0.04
"""Between two pieces of one text: nobody reads faster, and each costs a frame here and another in the browser."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class _Told:
    """What was written of a text and not yet taken: the first token at once, then what came since the last piece."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | Finish | ModelsError] = asyncio.Queue()
        self._held = ""
        self._last = -PACE_SECONDS

    def add(self, piece: str | Finish | ModelsError, now: float) -> None:
        if not isinstance(piece, str):
            if self._held:
                self._pieces.put_nowait(self._held)
            self._pieces.put_nowait(piece)
            return
        self._held += piece
        if now - self._last >= PACE_SECONDS:
            self._pieces.put_nowait(self._held)
            self._held, self._last = "", now

    async def take(self) -> str | Finish | ModelsError:
        return await self._pieces.get()


class CausalGenerator(Generator):
    """Belongs to the event loop that it is used in; computes in a thread of its own."""

    def __init__(self, engine: CausalEngine) -> None:
        """An engine that is not loaded yet is loaded by `open`, or by the first stream."""
        self.engine = engine
        self.name = engine.name
        self.slots = engine.slots
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"write-{engine.name}")
        self._opening: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        if self.engine.loaded:
            return
        if self._opening is None:
            self._opening = asyncio.create_task(self._in_thread(self.engine.load))
        try:
            await asyncio.shield(self._opening)
        except (ModelMissing, ModelUnusable) as problem:
            log.error("%s", problem)
            sentence = f"The model {self.name} cannot be used; the model service's log says why."
            raise ModelsUnavailable(sentence, retryable=False) from None

    async def stream(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        await self.open()
        row = await asyncio.to_thread(self.engine.row, given)
        row.told = told = _Told()
        self.engine.arriving.append(row)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name=f"steps of {self.name}")
        try:
            while True:
                piece = await told.take()
                if isinstance(piece, ModelsError):
                    raise piece
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            row.unwanted = True

    async def close(self) -> None:
        for task in (self._opening, self._running):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._thread.submit(self.engine.close)
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while self.engine.arriving or self.engine.rows:
            try:
                told = await self._in_thread(self.engine.step)
            except Exception as problem:
                log.exception("%s failed at a step", self.name)
                failure = ModelsError("internal", f"The model failed: {type(problem).__name__}.")
                told = [(row, failure) for row in self.engine.give_up()]
            now = time.monotonic()
            for row, piece in told:
                row.told.add(piece, now)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
