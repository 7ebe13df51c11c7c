"""The models that run in this process, and how each kind of request is answered by one. Knows no sockets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import asdict

import numpy as np

from models_service import classifying, translating
from models_service.engines.generating import Generator
from models_service.engines.pairs import Pair
from models_service.engines.reading import Reading
from models_service.engines.summarizing import Document
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.live_model import LiveModel, Serving
from models_service.memory import Budget, Need, NoRoom
from models_service.protocol import (
    ChosenSentence,
    ClassifyDone,
    ClassifyRequest,
    EmbedDone,
    EmbedRequest,
    GenerateDone,
    GenerateRequest,
    LanguagesDone,
    LanguagesRequest,
    ReadDone,
    ReadRequest,
    RerankDone,
    RerankRequest,
    SpanResult,
    SummarizeDone,
    SummarizeRequest,
    TranslateDone,
    TranslateRequest,
)
from models_service.registry import Kind, Model, ModelMissing, ModelUnusable, Registry
from models_service.slots import Slots

LOOK_SECONDS = 0.5
"""How often the registry is looked at for a version that was promoted meanwhile."""
AWAITED = ("generator", "translator")
"""Kinds whose loading only those wait for who ask for them."""
log = logging.getLogger(__name__)


class Service:
    """A model is loaded when the service starts or when it is first asked for, and follows what is promoted."""

    def __init__(
        self, registry: Registry, generator: Generator | None = None, memory_limit: int | None = None
    ) -> None:
        """`memory_limit` is in bytes, for all models together."""
        self._registry = registry
        self._slots = Slots(generator) if generator else None
        self._budget = Budget(memory_limit)
        self._live: dict[str, LiveModel] = {}
        self._missing: dict[str, str] = {}
        self._defaults = {registry.default_name(kind) for kind in ("encoder", "reader")}
        self._following: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._generator_states: dict[str, str] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to load the default models; says in the log which are not there."""
        for kind in ("encoder", "reader"):
            try:
                self._serving(kind, None)
            except ModelsError as problem:
                log.warning("%s", problem.message)
        self._following = asyncio.create_task(self._follow(), name="following the registry")
        if self.generator_name():
            try:
                self._serving("generator", None)
            except ModelsError as problem:
                log.warning("%s", problem.message)
        if self._slots:
            self._opening = asyncio.create_task(self._open_generator(self._slots.generator))

    async def close(self) -> None:
        if self._following:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await asyncio.gather(*(live.close() for live in self._live.values()), *self._ending)
        if self._slots:
            if self._opening:
                self._opening.cancel()
            await self._slots.generator.close()

    def states(self) -> dict[str, str]:
        """For each model loading, ready or failed, or why it is not there."""
        return {name: live.serving.queue.state for name, live in self._live.items()} | self._missing | (
            self._generator_states
        )

    def versions(self) -> dict[str, str]:
        """For each model that is there, the version that serves or is being loaded."""
        return {name: live.serving.model.version for name, live in self._live.items()}

    def followed(self) -> dict[str, int]:
        """How many promotions and rollbacks of each model were seen, so that whoever made one can wait for it."""
        return {name: live.followed for name, live in self._live.items()}

    def refused(self) -> dict[str, str]:
        """Why a version that was promoted does not serve, of those models where one does not."""
        return {name: live.refused for name, live in self._live.items() if live.refused}

    def generator_name(self) -> str:
        """Which model writes unless another is named; "" where there is none, or it is on another server."""
        try:
            return "" if self._slots else self._registry.default_name("generator")
        except (ModelMissing, ModelUnusable):
            return ""

    def ready(self) -> bool:
        """Nothing is loading any more, and texts can be embedded. A missing reader is no reason to wait: without one
        questions are refused with its sentence, and all else works. Texts wait for a generator or a translator that
        is asked for; nothing else does."""
        states = {name: live.serving.queue.state for name, live in self._live.items() if live.kind not in AWAITED}
        return "loading" not in states.values() and states.get(self._registry.default_name("encoder")) == "ready"

    async def _open_generator(self, generator: Generator) -> None:
        """Until it is there, texts wait for it; nothing else does."""
        self._generator_states[generator.name] = "loading"
        try:
            await generator.open()
            self._generator_states[generator.name] = "ready"
        except ModelsError:  # its log has said why
            self._generator_states[generator.name] = "failed"

    async def answer(
        self,
        request: EmbedRequest | ReadRequest | RerankRequest | SummarizeRequest | ClassifyRequest | TranslateRequest
        | LanguagesRequest,
        on_start: Callable[[], None],
    ) -> EmbedDone | ReadDone | RerankDone | SummarizeDone | ClassifyDone | TranslateDone | LanguagesDone:
        """Raises ModelsError."""
        if isinstance(request, EmbedRequest):
            return await self._embed(request, on_start)
        if isinstance(request, RerankRequest):
            return await self._rerank(request, on_start)
        if isinstance(request, SummarizeRequest):
            return await self._summarize(request, on_start)
        if isinstance(request, ClassifyRequest):
            return await classifying.classify(request, self._serving, on_start)
        if isinstance(request, TranslateRequest):
            return await translating.translate(request, self._registry, self._serving, on_start)
        if isinstance(request, LanguagesRequest):
            return self._languages(request)
        return await self._read(request, on_start)

    async def generate(
        self, request: GenerateRequest, on_start: Callable[[], None]
    ) -> AsyncGenerator[str | GenerateDone, None]:
        """The text in pieces, then how it ended. Closing the iterator frees the slot. Raises ModelsError."""
        if self._slots and request.model in (None, self._slots.generator.name):
            writing = self._slots.stream(request, on_start)
        else:
            serving = self._serving("generator", request.model)
            writing = serving.queue.stream(request, lambda: serving.model.version, on_start)
        async with aclosing(writing) as pieces:
            async for piece in pieces:
                yield piece

    async def _embed(self, request: EmbedRequest, on_start: Callable[[], None]) -> EmbedDone:
        serving = self._serving("encoder", request.model)
        outcome = await serving.queue.submit(
            request.texts, client=request.client, deadline_ms=request.deadline_ms, on_start=on_start
        )
        vectors = np.stack(outcome.outputs)
        return EmbedDone(
            id=request.id, model=serving.model.name, version=serving.model.version,
            vectors=EmbedDone.pack(vectors), dimension=vectors.shape[1], tokens=outcome.tokens,
            timings=outcome.timings,
        )

    async def _read(self, request: ReadRequest, on_start: Callable[[], None]) -> ReadDone:
        serving = self._serving("reader", request.model)
        outcome = await serving.queue.submit(
            [Reading(request.question, passage, request.n_best) for passage in request.passages],
            client=request.client, deadline_ms=request.deadline_ms, on_start=on_start,
        )
        return ReadDone(
            id=request.id,
            model=serving.model.name,
            version=serving.model.version,
            spans=[[SpanResult(**asdict(span)) for span in found] for found in outcome.outputs],
            timings=outcome.timings,
            calibration=serving.queue.engine.calibration,
        )

    async def _rerank(self, request: RerankRequest, on_start: Callable[[], None]) -> RerankDone:
        serving = self._serving("reranker", request.model)
        outcome = await serving.queue.submit(
            [Pair(request.query, passage) for passage in request.passages],
            client=request.client, deadline_ms=request.deadline_ms, on_start=on_start,
        )
        return RerankDone(
            id=request.id, model=serving.model.name, version=serving.model.version, scores=outcome.outputs,
            timings=outcome.timings,
        )

    async def _summarize(self, request: SummarizeRequest, on_start: Callable[[], None]) -> SummarizeDone:
        """The queue encodes the sentences, among those of others; choosing takes no engine, only time."""
        serving = self._serving("summarizer", request.model)
        outcome = await serving.queue.submit(
            request.sentences, client=request.client, deadline_ms=request.deadline_ms, on_start=on_start
        )
        document = Document(tuple(request.sentences), request.words, request.sentences_wanted)
        summary = await asyncio.to_thread(serving.queue.engine.choose, document, np.stack(outcome.outputs))
        return SummarizeDone(
            id=request.id, model=serving.model.name, version=serving.model.version, scores=list(summary.scores),
            chosen=[ChosenSentence(index=index, score=summary.scores[index]) for index in summary.chosen],
            timings=outcome.timings,
        )

    def _languages(self, request: LanguagesRequest) -> LanguagesDone:
        """Whoever looks at the languages translates next: the first model begins to load."""
        told = translating.languages(request, self._registry)
        if told.pairs:
            with suppress(ModelsError):
                self._serving("translator", told.pairs[0].model)
        return told

    def _serving(self, kind: Kind, name: str | None) -> Serving:
        """What serves this model now, loaded if its files are there by now. The caller submits before it waits for
        anything else: so nothing is sent to a version that has been drained."""
        try:
            name = name or self._registry.default_name(kind)
        except ModelMissing as problem:
            none = "No text generator is set up." if kind == "generator" else str(problem)
            raise ModelsError("not_found", none) from None
        if name not in self._live:
            if name not in (known := self._registry.names()):
                raise ModelsError("not_found", f"There is no model named {name!r}; there are: {', '.join(known)}.")
            self._open(name)
        live = self._live[name]
        if live.kind != kind:
            raise ModelsError("bad_request", f"{name} is a model of kind {live.kind}; this needs a {kind}.")
        live.last_used = time.monotonic()
        return live.serving

    def _open(self, name: str) -> None:
        try:
            live = LiveModel(name, self._registry, self._budget, self._make_room)
        except ModelMissing as problem:
            self._missing[name] = f"missing: {problem}"
            raise ModelsUnavailable(str(problem), retryable=False) from None
        except NoRoom as problem:
            self._missing[name] = f"no room: {problem}"
            raise ModelsUnavailable(str(problem), retryable=False) from None
        except ModelUnusable as problem:
            # Where its files lie is for the log, not for whoever asked.
            log.error("%s", problem)
            self._missing[name] = "unusable: see the log"
            sentence = f"The model {name} cannot be used; the model service's log says why."
            raise ModelsUnavailable(sentence, retryable=False) from None
        self._missing.pop(name, None)
        self._live[name] = live

    def _make_room(self, asking: LiveModel, model: Model, wanted: Need) -> None:
        """Unload what was asked for longest ago, until there is room. The defaults stay, and are let in at the start.

        Raises:
            NoRoom: there would still be none; the sentence shows the sum.
        """
        if asking.name in self._defaults and asking.name not in self._live:
            return
        while wanted.loading > self._budget.free:
            others = [
                live for name, live in self._live.items()
                if name not in self._defaults and live is not asking and live.idle
            ]
            if not others:
                raise NoRoom(self._budget.refusal(model.label, wanted))
            oldest = min(others, key=lambda live: live.last_used)
            log.info("%s is unloaded: %s needs its memory", oldest.name, model.label)
            del self._live[oldest.name]
            ending = oldest.retire()
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _follow(self) -> None:
        """Nothing that goes wrong with one model ends this."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for live in list(self._live.values()):
                try:
                    await live.follow()
                except Exception:
                    log.exception("%s cannot follow the registry", live.name)
