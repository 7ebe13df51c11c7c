"""A generator as `LiveModel` keeps it: brought up, streaming, drained, closed; what `EngineQueue` is to engines."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

from models_service.engines.causal_generator import CausalGenerator
from models_service.errors import ModelsUnavailable
from models_service.model_files import ModelUnusable
from models_service.protocol import GenerateDone, GenerateRequest
from models_service.slots import Slots

if TYPE_CHECKING:
    from models_service.engines.causal import CausalEngine

log = logging.getLogger(__name__)


class GeneratorQueue:
    """`run` is its life, to be kept as a task; `stream` is what requests do."""

    def __init__(self, name: str, open_engine: Callable[[], CausalEngine]) -> None:
        """`open_engine` gives the engine loaded; it is called in a thread, for that takes its time."""
        self.name = name
        self.state: Literal["loading", "ready", "failed"] = "loading"
        self.failure = ""
        self.engine: CausalEngine
        self._open_engine = open_engine
        self._slots: Slots
        self._streams = 0
        self._loaded = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Load the engine and keep it until cancelled; texts that are in the making then break off."""
        began = time.monotonic()
        generator: CausalGenerator | None = None
        try:
            self.engine = await asyncio.to_thread(self._open_engine)
            generator = CausalGenerator(self.engine)
            self._slots = Slots(generator)
            self.state = "ready"
            log.info("%s is ready after %.1f s", self.name, time.monotonic() - began)
            self._loaded.set()
            await asyncio.Event().wait()
        except Exception as problem:
            log.error("%s cannot serve: %s", self.name, problem, exc_info=not isinstance(problem, ModelUnusable))
            self.state, self.failure = "failed", str(problem)
            self._loaded.set()
        finally:
            if generator:
                await generator.close()

    async def settled(self) -> None:
        """Wait until the engine is ready or has failed."""
        await self._loaded.wait()

    @property
    def idle(self) -> bool:
        return self._idle.is_set()

    async def drain(self) -> None:
        """Wait until every text that was begun is at its end. Send it no more, or this may take forever."""
        await self._idle.wait()

    async def stream(
        self, request: GenerateRequest, version: Callable[[], str], on_start: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[str | GenerateDone, None]:
        """The text in pieces, then how it ended. Closing the iterator frees the slot. Raises ModelsError.

        Args:
            version: tells which one it is, once it is loaded.
        """
        self._streams += 1
        self._idle.clear()
        try:
            await self._loaded.wait()
            if self.state == "failed":
                sentence = f"The model {self.name} cannot be used; the model service's log says why."
                raise ModelsUnavailable(sentence, retryable=False)
            async with aclosing(self._slots.stream(request, on_start)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, GenerateDone):
                        piece = piece.model_copy(update={"version": version()})
                    yield piece
        finally:
            self._streams -= 1
            if not self._streams:
                self._idle.set()
