"""The engines that run in this process, and how each kind of request is answered by one. Knows no sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import asdict
from functools import partial

import numpy as np

from models_service.batching import EngineQueue
from models_service.engines.generating import Generator
from models_service.engines.reading import Reading
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.protocol import (
    EmbedDone,
    EmbedRequest,
    GenerateDone,
    GenerateRequest,
    ReadDone,
    ReadRequest,
    SpanResult,
)
from models_service.registry import Kind, Model, ModelMissing, ModelUnusable, Registry, open_engine
from models_service.slots import Slots

log = logging.getLogger(__name__)


class Service:
    """One queue a model; a model is loaded when the service starts or when it is first asked for."""

    def __init__(self, registry: Registry, generator: Generator | None = None) -> None:
        self._registry = registry
        self._slots = Slots(generator) if generator else None
        self._queues: dict[str, EngineQueue] = {}
        self._lives: list[asyncio.Task[None]] = []
        self._missing: dict[str, str] = {}

    def start(self) -> None:
        """Begin to load the default models; says in the log which are not there."""
        for kind in ("encoder", "reader"):
            try:
                self._queue(kind, None)
            except ModelsError as problem:
                log.warning("%s", problem.message)

    async def close(self) -> None:
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        if self._slots:
            await self._slots.generator.close()

    def states(self) -> dict[str, str]:
        """For each model loading, ready or failed, or why it is not there."""
        return {name: queue.state for name, queue in self._queues.items()} | self._missing

    def ready(self) -> bool:
        """Nothing is loading any more, and texts can be embedded. A missing reader is no reason to wait: without one
        questions are refused with its sentence, and all else works."""
        encoder = self._queues.get(self._registry.default("encoder").name)
        loading = any(queue.state == "loading" for queue in self._queues.values())
        return not loading and encoder is not None and encoder.state == "ready"

    async def answer(
        self, request: EmbedRequest | ReadRequest, on_start: Callable[[], None]
    ) -> EmbedDone | ReadDone:
        """Raises ModelsError."""
        if isinstance(request, EmbedRequest):
            return await self._embed(request, on_start)
        return await self._read(request, on_start)

    async def generate(
        self, request: GenerateRequest, on_start: Callable[[], None]
    ) -> AsyncGenerator[str | GenerateDone, None]:
        """The text in pieces, then how it ended. Closing the iterator frees the slot. Raises ModelsError."""
        if self._slots is None:
            raise ModelsError("not_found", "No text generator is set up.")
        name = self._slots.generator.name
        if request.model not in (None, name):
            raise ModelsError("not_found", f"There is no generator named {request.model!r}; there is: {name}.")
        async with aclosing(self._slots.stream(request, on_start)) as pieces:
            async for piece in pieces:
                yield piece

    async def _embed(self, request: EmbedRequest, on_start: Callable[[], None]) -> EmbedDone:
        queue = self._queue("encoder", request.model)
        outcome = await queue.submit(
            request.texts, client=request.client, deadline_ms=request.deadline_ms, on_start=on_start
        )
        vectors = np.stack(outcome.outputs)
        return EmbedDone(
            id=request.id, model=queue.name, vectors=EmbedDone.pack(vectors), dimension=vectors.shape[1],
            timings=outcome.timings,
        )

    async def _read(self, request: ReadRequest, on_start: Callable[[], None]) -> ReadDone:
        queue = self._queue("reader", request.model)
        outcome = await queue.submit(
            [Reading(request.question, passage, request.n_best) for passage in request.passages],
            client=request.client, deadline_ms=request.deadline_ms, on_start=on_start,
        )
        return ReadDone(
            id=request.id,
            model=queue.name,
            spans=[[SpanResult(**asdict(span)) for span in found] for found in outcome.outputs],
            timings=outcome.timings,
            calibration=queue.engine.calibration,
        )

    def _queue(self, kind: Kind, name: str | None) -> EngineQueue:
        """The model's queue, opened if its files are there by now."""
        try:
            model = self._registry.find(name) if name else self._registry.default(kind)
        except ModelMissing as problem:
            raise ModelsError("not_found", str(problem)) from None
        if model.kind != kind:
            raise ModelsError("bad_request", f"{model.name} is a model of kind {model.kind}; this needs a {kind}.")
        if model.name not in self._queues:
            self._open(model)
        return self._queues[model.name]

    def _open(self, model: Model) -> None:
        try:
            model.directory()
        except ModelMissing as problem:
            self._missing[model.name] = f"missing: {problem}"
            raise ModelsUnavailable(str(problem), retryable=False) from None
        except ModelUnusable as problem:
            # Where its files lie is for the log, not for whoever asked.
            log.error("%s", problem)
            self._missing[model.name] = "unusable: see the log"
            sentence = f"The model {model.name} cannot be used; the model service's log says why."
            raise ModelsUnavailable(sentence, retryable=False) from None
        self._missing.pop(model.name, None)
        queue = EngineQueue(model.name, partial(open_engine, model))
        self._queues[model.name] = queue
        self._lives.append(asyncio.create_task(queue.run(), name=f"queue of {model.name}"))
