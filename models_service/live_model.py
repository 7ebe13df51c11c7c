"""What serves under one model name: brought up, swapped for another version beside it, drained, unloaded.

A new version is loaded, warmed and checked while the old one goes on; then new requests go to it, and the old one
ends with its last answer. A version that fails on the way changes nothing but `refused`, which says why.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models_service import memory
from models_service.admission import bring_up
from models_service.batching import EngineQueue
from models_service.engines.base import Engine
from models_service.generator_queue import GeneratorQueue
from models_service.memory import Budget
from models_service.registry import Kind, Model, ModelMissing, ModelUnusable, Registry

log = logging.getLogger(__name__)
MakeRoom = Callable[["LiveModel", Model, memory.Need], None]
"""Called before a model is loaded; raises NoRoom when it cannot be given that much memory."""


@dataclass(eq=False)
class Serving:
    """One version at work. `model` is the one that came up, of those that were tried."""

    queue: EngineQueue | GeneratorQueue
    model: Model
    label: str
    life: asyncio.Task[None] = field(init=False)


class LiveModel:
    """Belongs to the event loop that it is made in. `followed` is the registry's count of changes as last seen."""

    def __init__(self, name: str, registry: Registry, budget: Budget, make_room: MakeRoom) -> None:
        """Begins to load. Raises ModelMissing, ModelUnusable when there is nothing that could be."""
        self.name = name
        self.refused = ""
        self.last_used = time.monotonic()
        self._registry = registry
        self._budget = budget
        self._make_room = make_room
        self._numbers = 0
        self.followed = registry.live(name).changes
        self._leaving: set[asyncio.Task[None]] = set()
        usable = self._usable(registry.candidates(name))
        make_room(self, usable[0], _need(usable[0]))
        self.serving = self._begin(usable)

    @property
    def kind(self) -> Kind:
        return self.serving.model.kind

    @property
    def idle(self) -> bool:
        return self.serving.queue.idle

    async def follow(self) -> None:
        """Look whether the registry names another version by now, and if so, serve that; the old one until then."""
        try:
            live = self._registry.live(self.name)
            if live.changes == self.followed or live.current is None:
                return
            self.followed, self.refused = live.changes, ""
            model = self._registry.version(self.name, live.current)
            if model == self.serving.model and self.serving.queue.state == "ready":
                return
            model.directory()
            self._make_room(self, model, _need(model))
        except (ModelMissing, ModelUnusable) as problem:
            self._refuse("the version that was promoted", problem)
            return
        await self._swap(model)

    def retire(self) -> asyncio.Task[None]:
        """Begin to close, and count its memory as free from now on: the next model may be loaded meanwhile."""
        self._budget.let_go(self.serving.label)
        return asyncio.create_task(self.close(), name=f"end of {self.serving.label}")

    async def close(self) -> None:
        """End at once; requests that are under way fail."""
        ending = [self.serving.life, *self._leaving]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _swap(self, model: Model) -> None:
        fresh = self._begin([model])
        try:
            await fresh.queue.settled()
        except asyncio.CancelledError:
            fresh.life.cancel()
            raise
        if fresh.queue.state == "failed":
            await asyncio.gather(fresh.life, return_exceptions=True)
            log.error("%s stays at version %s", self.name, self.serving.model.version)
            return
        old, self.serving = self.serving, fresh
        self.refused = ""
        log.info("%s: version %s serves, %s is drained", self.name, fresh.model.version, old.model.version)
        leaving = asyncio.create_task(self._leave(old), name=f"end of {old.label}")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _leave(self, old: Serving) -> None:
        try:
            await old.queue.drain()
        finally:
            old.life.cancel()
            await asyncio.gather(old.life, return_exceptions=True)

    def _begin(self, candidates: Sequence[Model]) -> Serving:
        self._numbers += 1
        label = f"{candidates[0].label} #{self._numbers}"
        needed = _need(candidates[0])
        self._budget.hold(label, needed.loading)
        serving = Serving(queue=None, model=candidates[0], label=label)  # type: ignore[arg-type]
        queue = GeneratorQueue if candidates[0].kind == "generator" else EngineQueue
        serving.queue = queue(self.name, partial(self._open, candidates, serving))
        serving.life = asyncio.create_task(self._live(serving, needed), name=f"queue of {label}")
        return serving

    async def _live(self, serving: Serving, needed: memory.Need) -> None:
        running = asyncio.create_task(serving.queue.run())
        try:
            await serving.queue.settled()
            self._budget.hold(serving.label, needed.serving)
            await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            self._budget.let_go(serving.label)

    def _open(self, candidates: Sequence[Model], serving: Serving) -> Engine[Any, Any, Any, Any]:
        """In the engine's thread: the first of the candidates that comes up."""
        for model in candidates:
            try:
                engine = bring_up(model, self._registry.versions)
            except Exception as problem:  # whatever a model's files or libraries do, the next one may be fine
                self._refuse(f"version {model.version}", problem)
                continue
            serving.model = model
            return engine
        raise ModelUnusable(self.refused)

    def _usable(self, candidates: Sequence[Model]) -> list[Model]:
        """Those whose files are there."""
        usable: list[Model] = []
        problems: list[Exception] = []
        for model in candidates:
            try:
                model.directory()
                usable.append(model)
            except (ModelMissing, ModelUnusable) as problem:
                self._refuse(f"version {model.version}", problem)
                problems.append(problem)
        if not usable:
            raise problems[0]
        return usable

    def _refuse(self, what: str, problem: Exception) -> None:
        """For the log with all that is known; for whoever asks for the state without where files lie."""
        log.error("%s: %s does not serve: %s", self.name, what, problem)
        folder = str(self._registry.versions.folder) if self._registry.versions else "\0"
        self.refused = f"{what} does not serve: {problem}".replace(folder, "the models folder")


def _need(model: Model) -> memory.Need:
    """Nothing where the files cannot be read: loading them will say what is wrong."""
    try:
        return memory.need(model.directory(), model.kind, model.dtype)
    except ModelUnusable:
        return memory.Need(0, 0, 0)
