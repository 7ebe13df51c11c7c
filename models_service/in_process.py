"""`Models` without a service: the engines are loaded in this process, for evaluation and benchmarks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from models_service import classifying, opening, registry, translating
from models_service.client import Encoded, Models, encodable
from models_service.engines.generating import Generator
from models_service.engines.pairs import Pair
from models_service.engines.reading import Reading
from models_service.engines.summarizing import Document
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.protocol import (
    MAX_TEXT_CHARACTERS,
    ChatMessage,
    ChosenSentence,
    ClassifyDone,
    ClassifyRequest,
    GenerateDone,
    GenerateRequest,
    LanguagePair,
    ReadDone,
    RerankDone,
    SpanResult,
    SummarizeDone,
    SummarizeRequest,
    Timings,
    TranslateDone,
    TranslateRequest,
)
from models_service.registry import ENCODER, READER, SUMMARIZER, TRANSLATOR, ModelMissing, ModelUnusable
from models_service.slots import Slots


def registered_generator(folder: Path | None, wanted: str = "") -> Generator | None:
    """The generator that is served: the one that is named, by its name or its folder, or else the first promoted."""
    try:
        engine = opening.open_engine(registry.Registry(folder=folder, generator=wanted).default("generator"))
    except (ModelMissing, ModelUnusable):
        return None
    from models_service.engines.causal_generator import CausalGenerator

    return CausalGenerator(engine)


class InProcessModels(Models):
    """Loads each engine when it is first needed. One caller at a time computes; the others wait."""

    def __init__(
        self, *, encoder: str = ENCODER, reader: str = READER, summarizer: str = SUMMARIZER,
        translator: str = TRANSLATOR, reranker: str | None = None, classifier: str | None = None,
        generator: Generator | None = None, folder: Path | None = None,
    ) -> None:
        """Registry names, or directories; a reranker, a classifier and a generator where there is one. `folder` holds
        the registry."""
        self._models = {
            "encoder": registry.named_or_directory(encoder, "encoder", folder),
            "reader": registry.named_or_directory(reader, "reader", folder),
            "summarizer": registry.named_or_directory(summarizer, "summarizer", folder),
            "translator": registry.named_or_directory(translator, "translator", folder),
        }
        if reranker:
            self._models["reranker"] = registry.named_or_directory(reranker, "reranker", folder)
        if classifier:
            self._models["classifier"] = registry.named_or_directory(classifier, "classifier", folder)
        self._folder = folder
        self._engines: dict[registry.Kind, Any] = {}
        self._one_at_a_time = threading.Lock()
        self._slots = Slots(generator) if generator else None

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        if not texts:
            return Encoded(np.zeros((0, 0), dtype=np.float32), "")
        given = [encodable(text[:MAX_TEXT_CHARACTERS]) for text in texts]
        vectors, _ = await asyncio.to_thread(self._run, "encoder", given)
        return Encoded(np.stack(vectors), self._models["encoder"].label)

    async def read(self, question: str, passages: Sequence[str], *, n_best: int = 3, client: str = "") -> ReadDone:
        if not question or not passages:
            raise ModelsError("bad_request", "A question and at least one passage are needed.")
        given = [Reading(encodable(question), encodable(passage), n_best) for passage in passages]
        spans, seconds = await asyncio.to_thread(self._run, "reader", given)
        return ReadDone(
            id="in-process",
            model=self._models["reader"].name,
            version=self._models["reader"].version,
            spans=[[SpanResult(**asdict(span)) for span in found] for found in spans],
            timings=Timings(queue_ms=0, compute_ms=1000 * seconds, batch_size=len(given)),
            calibration=self._engines["reader"].calibration,
        )

    async def summarize(
        self, sentences: Sequence[str], *, words: int | None = None, sentences_wanted: int | None = None,
        client: str = "",
    ) -> SummarizeDone:
        try:
            request = SummarizeRequest(
                id="in-process", sentences=[encodable(sentence) for sentence in sentences], words=words,
                sentences_wanted=sentences_wanted, client=client,
            )
        except ValidationError as problem:
            raise ModelsError("bad_request", str(problem)) from None
        document = Document(tuple(request.sentences), words, sentences_wanted)
        [summary], seconds = await asyncio.to_thread(self._run, "summarizer", [document])
        return SummarizeDone(
            id=request.id, model=self._models["summarizer"].name, version=self._models["summarizer"].version,
            chosen=[ChosenSentence(index=index, score=summary.scores[index]) for index in summary.chosen],
            scores=list(summary.scores),
            timings=Timings(queue_ms=0, compute_ms=1000 * seconds, batch_size=len(sentences)),
        )

    async def translate(
        self, texts: Sequence[str], *, source: str, target: str, n_best: int = 1, beam_size: int | None = None,
        model: str | None = None, client: str = "",
    ) -> TranslateDone:
        try:
            request = TranslateRequest(id="in-process", texts=[encodable(text) for text in texts], source=source,
                                       target=target, n_best=n_best, beam_size=beam_size, model=model)
        except ValidationError as problem:
            raise ModelsError("bad_request", str(problem)) from None
        pair = translating.choose(self._offers(), source, target, model).pair
        given = [pair.rewriting(text, n_best, beam_size) for text in request.texts]
        rewritten, seconds = await asyncio.to_thread(self._run, "translator", given)
        timings = Timings(queue_ms=0, compute_ms=1000 * seconds, batch_size=len(given))
        return translating.done(request.id, self._models["translator"], rewritten, timings)

    async def languages(self) -> list[LanguagePair]:
        return [translating.described(offer) for offer in self._offers()]

    def _offers(self) -> list[translating.Offer]:
        """Of the one translator that this process computes with."""
        try:
            return translating.offers_of(self._models["translator"])
        except (ModelMissing, ModelUnusable) as problem:
            raise ModelsUnavailable(str(problem), retryable=False) from None

    async def rerank(self, query: str, passages: Sequence[str], *, client: str = "") -> RerankDone | None:
        if "reranker" not in self._models:
            return None
        given = [Pair(encodable(query), encodable(passage)) for passage in passages]
        scores, seconds = await asyncio.to_thread(self._run, "reranker", given)
        model = self._models["reranker"]
        return RerankDone(
            id="in-process", model=model.name, version=model.version, scores=scores,
            timings=Timings(queue_ms=0, compute_ms=1000 * seconds, batch_size=len(given)),
        )

    async def classify(
        self, texts: Sequence[str], *, model: str | None = None, client: str = ""
    ) -> ClassifyDone:
        try:
            request = ClassifyRequest(id="in-process", texts=[encodable(text) for text in texts], model=model)
        except ValidationError as problem:
            raise ModelsError("bad_request", str(problem)) from None
        own = self._models.get("classifier")
        if own is None or model not in (None, own.name, own.label):
            raise ModelsError("not_found", "There is no such classifier in this process.")
        found, seconds = await asyncio.to_thread(self._run, "classifier", request.texts)
        timings = Timings(queue_ms=0, compute_ms=1000 * seconds, batch_size=len(request.texts))
        return classifying.done(request, own, self._engines["classifier"].task, found, timings)

    async def generate(
        self, messages: Sequence[ChatMessage], *, client: str = "", **settings: Any
    ) -> AsyncGenerator[str | GenerateDone, None]:
        if self._slots is None:
            raise ModelsError("not_found", "No text generator is set up.")
        try:
            request = GenerateRequest(id="in-process", messages=list(messages) or None, client=client, **settings)
        except ValidationError as problem:
            raise ModelsError("bad_request", str(problem)) from None
        async with aclosing(self._slots.stream(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.close()
        if self._slots:
            await self._slots.generator.close()

    async def __aenter__(self) -> InProcessModels:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _run(self, kind: registry.Kind, given: Sequence[Any]) -> tuple[list[Any], float]:
        with self._one_at_a_time:
            if kind not in self._engines:
                try:
                    self._engines[kind] = opening.loaded(self._models[kind], self._folder)
                except (ModelMissing, ModelUnusable) as problem:
                    raise ModelsUnavailable(str(problem), retryable=False) from None
            began = time.perf_counter()
            work = self._engines[kind].summarize if kind == "summarizer" else self._engines[kind].run
            return work(given), time.perf_counter() - began
