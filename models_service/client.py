"""What the site and the qa room use to talk to models: `Models` is the face, `ModelService` the one over WebSocket.

Asynchronous throughout. A synchronous caller (a Celery task, a command) bridges once, around all that it asks:

    async def work() -> ...:
        async with ModelService(urls) as models:
            vectors = await models.embed(texts)
    asyncio.run(work())
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from pydantic import ValidationError

from models_service import trace
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.face import Encoded, Models
from models_service.link import Done, LinkBroke
from models_service.pool import Pool
from models_service.protocol import (
    MAX_FRAME_BYTES,
    MAX_TEXT_CHARACTERS,
    MAX_TEXTS,
    ChatMessage,
    ClassifyDone,
    ClassifyRequest,
    EmbedDone,
    EmbedRequest,
    GenerateDone,
    GenerateRequest,
    LanguagePair,
    LanguagesDone,
    LanguagesRequest,
    ReadDone,
    ReadRequest,
    Request,
    RerankDone,
    RerankRequest,
    SummarizeDone,
    SummarizeRequest,
    TranslateDone,
    TranslateRequest,
)

__all__ = ["Encoded", "Models", "ModelsError", "ModelsUnavailable", "ModelService", "encodable"]

PATIENCE_SECONDS = 30.0
PARTS_AT_ONCE = 4
"""Requests in flight for one long list of texts: enough that the service never waits for the next."""
MAX_PART_BYTES = MAX_FRAME_BYTES // 8
"""Of text in one request: JSON may write one byte as six (a control character becomes \\u0001)."""
MAX_BREAKS = 3
"""A request in whose flight the connection broke this often is suspected of breaking it."""

NO_RERANKER_SECONDS = 15.0
"""How long it takes at most until a reranker that was promoted is used."""
MAX_SWAPS = 3
"""A list of texts in whose middle the encoder was swapped is encoded anew, this often."""

R = TypeVar("R", bound=Request)


class ModelService(Models):
    """The model service, over one WebSocket a replica and event loop.

    Connects at the first request. A request made while no replica is there waits for one; a request in flight when
    its connection breaks is sent again, for requests only compute and a second answer equals the first.
    """

    def __init__(
        self, urls: Sequence[str] | Callable[[], Sequence[str]], patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """
        Args:
            urls: ws:// addresses of the replicas, or a function that is asked for them whenever they matter.
            patience_seconds: how long a request waits while no replica is there, or while all of them are busy.
        """
        self._urls = urls if callable(urls) else lambda: urls
        self._patience = patience_seconds
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()
        self._name = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._no_reranker_until = 0.0

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        parts = _parts([encodable(text[:MAX_TEXT_CHARACTERS]) for text in texts])
        if not parts:
            return Encoded(np.zeros((0, 0), dtype=np.float32), "")
        for _ in range(MAX_SWAPS):
            done = await self._embed_all([self._make(EmbedRequest, texts=part, client=client) for part in parts])
            encoders = {f"{one.model}@{one.version}" for one in done}
            if len(encoders) == 1:
                return Encoded(np.concatenate([one.array() for one in done]), encoders.pop(),
                               sum(one.tokens for one in done))
        raise ModelsUnavailable("The encoder was changed again and again while the texts were embedded.")

    async def _embed_all(self, requests: Sequence[EmbedRequest]) -> list[EmbedDone]:
        window = asyncio.Semaphore(PARTS_AT_ONCE)

        async def one(request: EmbedRequest) -> EmbedDone:
            async with window:
                done = await self._ask(request)
                assert isinstance(done, EmbedDone)
                return done

        if len(requests) == 1:
            return [await one(requests[0])]
        tasks = [asyncio.create_task(one(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self, question: str, passages: Sequence[str], *, n_best: int = 3, client: str = "") -> ReadDone:
        request = self._make(
            ReadRequest, question=encodable(question), passages=[encodable(passage) for passage in passages],
            n_best=n_best, client=client,
        )
        done = await self._ask(request)
        assert isinstance(done, ReadDone)
        return done

    async def rerank(self, query: str, passages: Sequence[str], *, client: str = "") -> RerankDone | None:
        """That none is served is remembered for a while, so that not every question asks for it."""
        if time.monotonic() < self._no_reranker_until:
            return None
        request = self._make(
            RerankRequest, query=encodable(query), passages=[encodable(passage) for passage in passages],
            client=client,
        )
        try:
            done = await self._ask(request)
        except ModelsError as problem:
            if problem.code != "not_found":
                raise
            self._no_reranker_until = time.monotonic() + NO_RERANKER_SECONDS
            return None
        assert isinstance(done, RerankDone)
        return done

    async def classify(
        self, texts: Sequence[str], *, model: str | None = None, client: str = ""
    ) -> ClassifyDone:
        request = self._make(
            ClassifyRequest, texts=[encodable(text) for text in texts], model=model, client=client
        )
        done = await self._ask(request)
        assert isinstance(done, ClassifyDone)
        return done

    async def summarize(
        self, sentences: Sequence[str], *, words: int | None = None, sentences_wanted: int | None = None,
        client: str = "",
    ) -> SummarizeDone:
        request = self._make(
            SummarizeRequest, sentences=[encodable(sentence) for sentence in sentences], words=words,
            sentences_wanted=sentences_wanted, client=client,
        )
        done = await self._ask(request)
        assert isinstance(done, SummarizeDone)
        return done

    async def translate(
        self, texts: Sequence[str], *, source: str, target: str, n_best: int = 1, beam_size: int | None = None,
        model: str | None = None, client: str = "",
    ) -> TranslateDone:
        request = self._make(
            TranslateRequest, texts=[encodable(text) for text in texts], source=source, target=target, n_best=n_best,
            beam_size=beam_size, model=model, client=client,
        )
        done = await self._ask(request)
        assert isinstance(done, TranslateDone)
        return done

    async def languages(self) -> list[LanguagePair]:
        done = await self._ask(self._make(LanguagesRequest))
        assert isinstance(done, LanguagesDone)
        return done.pairs

    async def generate(
        self, messages: Sequence[ChatMessage], *, client: str = "", **settings: Any
    ) -> AsyncGenerator[str | GenerateDone, None]:
        given = [message.model_copy(update={"content": encodable(message.content)}) for message in messages]
        if isinstance(settings.get("prompt"), str):
            settings["prompt"] = encodable(settings["prompt"])
        request = self._make(GenerateRequest, messages=given or None, client=client, **settings)
        async with aclosing(self._stream(request)) as pieces:
            async for piece in pieces:
                assert isinstance(piece, str | GenerateDone)
                yield piece

    async def close(self) -> None:
        """Close this event loop's connections."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool:
            await pool.close()

    async def __aenter__(self) -> ModelService:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _make(self, kind: type[R], **values: object) -> R:
        try:
            return kind(id=f"{self._name}-{next(self._numbers)}", trace=trace.current.get(), **values)
        except ValidationError as problem:
            raise ModelsError("bad_request", _sentence(problem)) from problem

    async def _ask(self, request: Request) -> Done:
        async with aclosing(self._stream(request)) as events:
            async for event in events:
                if not isinstance(event, str):
                    return event
        raise RuntimeError("the request ended without its last event")

    async def _stream(self, request: Request) -> AsyncGenerator[str | Done, None]:
        """Sent again when the connection breaks, or when all replicas are busy, until its first text is there."""
        pool = self._pool()
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._patience
        breaks = 0
        begun = False
        while True:
            link = await pool.connected(self._urls, self._patience)
            try:
                async with aclosing(link.stream(request)) as events:
                    async for event in events:
                        begun = True
                        _note_waiting(event)
                        yield event
                return
            except LinkBroke:
                if begun:  # another text would begin otherwise
                    raise ModelsUnavailable("The model service broke off in the middle of this text.") from None
                breaks += 1
                if breaks == MAX_BREAKS:
                    sentence = "The model service broke off several times while it worked on this."
                    raise ModelsUnavailable(sentence) from None
            except ModelsError as problem:
                pause = (problem.retry_after_ms or 250) / 1000
                if problem.code != "busy" or begun or clock() + pause > give_up:
                    raise
                await asyncio.sleep(pause)

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools[loop] = Pool()
        return self._pools[loop]


def _note_waiting(event: str | Done) -> None:
    waited, timings = trace.waited.get(), getattr(event, "timings", None)
    if waited is not None and timings is not None:
        waited.queue_ms += timings.queue_ms


def encodable(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 can carry, replaced one for one, so that offsets stay."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _parts(texts: Sequence[str]) -> list[list[str]]:
    """Requests' worth of texts: at most 512 and about one MB each."""
    parts: list[list[str]] = []
    size = 0
    for text in texts:
        bytes_ = len(text.encode())
        if not parts or len(parts[-1]) == MAX_TEXTS or size + bytes_ > MAX_PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(text)
        size += bytes_
    return parts


def _sentence(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
