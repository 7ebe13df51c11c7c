"""One queue an engine: requests of many clients go in, batches come out, and each request gets its outputs back.

The queue lives on the event loop; the engine computes in a thread of its own, and `_in_thread` is the one bridge
between them. A batch is whatever waits when the engine is free: nothing is held back in the hope of company.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from models_service import metrics
from models_service.engines.base import Engine
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.jobs import Entry, Job, Outcome, Pace, fail, make_job
from models_service.protocol import Timings

MAX_WAITING_INPUTS = 8192
"""Texts or passages in one queue; one client may have half of it."""
BATCH_SECONDS = 1.0
"""A cancelled request, and one that waits, are seen to when a batch ends."""
OLDEST_EVERY = 3
SPLIT_AT_ONCE = 64
"""Texts turned into tokens in one go, so that another client's get their turn between."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class EngineQueue:
    """`run` is the queue's life, to be kept as a task; `submit` is what requests do."""

    def __init__(
        self, name: str, open_engine: Callable[[], Engine[Any, Any, Any, Any]], max_waiting: int = MAX_WAITING_INPUTS
    ) -> None:
        """`open_engine` gives the engine loaded; it is called in the engine's thread, for that takes its time."""
        self.name = name
        self.state: Literal["loading", "ready", "failed"] = "loading"
        self.failure = ""
        self.engine: Engine[Any, Any, Any, Any]
        self._open_engine = open_engine
        self._max_waiting = max_waiting
        self._waiting: Counter[str] = Counter()
        self._lines: OrderedDict[str, list[Job]] = OrderedDict()
        self._work = asyncio.Event()
        self._loaded = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pace = Pace()
        self._batches = 1
        self._computing = ThreadPoolExecutor(1, thread_name_prefix=f"compute-{name}")
        self._splitting = ThreadPoolExecutor(1, thread_name_prefix=f"tokens-{name}")

    async def run(self) -> None:
        """Load the engine, then compute what comes, until cancelled."""
        try:
            await self._in_thread(self._computing, self._load)
            self.state = "ready"
            self._loaded.set()
            while True:
                await self._work.wait()
                batch = self._take_batch()
                if batch:
                    await self._compute(batch)
                else:
                    self._work.clear()
        except Exception as problem:
            log.error("%s cannot serve: %s", self.name, problem, exc_info=self.state == "ready")
            self.state, self.failure = "failed", str(problem)
            self._loaded.set()
            for job in [job for jobs in self._lines.values() for job in jobs]:
                fail(job, self._failure())
        finally:
            if self.state == "ready":
                self._computing.submit(self.engine.close)
            self._computing.shutdown(wait=False)
            self._splitting.shutdown(wait=False, cancel_futures=True)

    async def settled(self) -> None:
        """Wait until the engine is ready or has failed."""
        await self._loaded.wait()

    @property
    def idle(self) -> bool:
        return self._idle.is_set()

    async def drain(self) -> None:
        """Wait until every request that came has its answer. Send it no more of them, or this may take forever."""
        await self._idle.wait()

    async def submit(
        self,
        inputs: Sequence[Any],
        *,
        client: str = "",
        deadline_ms: int | None = None,
        on_start: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Wait for a turn and for the outputs. Cancelling the waiting task takes the request out of the queue.

        Args:
            deadline_ms: give up when not started after this long.
            on_start: called when the first batch with a part of this begins.

        Raises:
            ModelsError: busy, deadline, unavailable or internal.
        """
        arrived = time.monotonic()
        self._admit(len(inputs), client)
        try:
            async with asyncio.timeout(deadline_ms / 1000 if deadline_ms else None) as limit:
                await self._loaded.wait()
                if self.state == "failed":
                    raise self._failure()
                split = await self._split(inputs)

                def begin() -> None:
                    limit.reschedule(None)
                    on_start()

                job = make_job(split, self.engine.cost, client, begin)
                await self._finish(job)
        except TimeoutError:
            raise ModelsError(
                "deadline", f"The request did not get its turn within {deadline_ms} ms.", retryable=True
            ) from None
        finally:
            self._leave(len(inputs), client)
        results = iter(job.results)
        outputs = [
            self.engine.join(given, [next(results) for _ in pieces])
            for given, pieces in zip(inputs, split, strict=True)
        ]
        now = time.monotonic()
        started = job.started or now
        metrics.QUEUE_SECONDS.labels(self.name).observe(started - arrived)
        return Outcome(outputs, Timings(
            queue_ms=round(1000 * (started - arrived), 2), compute_ms=round(1000 * (now - started), 2),
            batch_size=job.largest_batch,
        ), tokens=sum(self.engine.cost(piece) for pieces in split for piece in pieces))

    def _admit(self, inputs: int, client: str) -> None:
        total = self._waiting.total()
        full = total and total + inputs > self._max_waiting
        greedy = self._waiting[client] and self._waiting[client] + inputs > self._max_waiting // 2
        if full or greedy:
            raise ModelsError(
                "busy", "The model service has more work than it can queue; try again shortly.", retryable=True,
                retry_after_ms=self._pace.milliseconds_for(min(inputs, total)),
            )
        self._waiting[client] += inputs
        self._idle.clear()
        metrics.WAITING.labels(self.name).set(total + inputs)

    def _leave(self, inputs: int, client: str) -> None:
        self._waiting[client] -= inputs
        if not self._waiting[client]:
            del self._waiting[client]
        if not self._waiting:
            self._idle.set()
        metrics.WAITING.labels(self.name).set(self._waiting.total())

    async def _split(self, inputs: Sequence[Any]) -> list[list[Any]]:
        split: list[list[Any]] = []
        for begin in range(0, len(inputs), SPLIT_AT_ONCE):
            split += await self._in_thread(
                self._splitting, self.engine.split, inputs[begin : begin + SPLIT_AT_ONCE]
            )
        return split

    async def _finish(self, job: Job) -> None:
        """Put the job into its client's line and wait for its end; whatever is left of it then goes."""
        if not job.unfinished:
            return
        self._lines.setdefault(job.client, []).append(job)
        self._work.set()
        try:
            await job.done
        finally:
            self._drop(job)

    def _drop(self, job: Job) -> None:
        line = self._lines.get(job.client, [])
        if job in line:
            line.remove(job)
        if not line:
            self._lines.pop(job.client, None)

    def _take_batch(self) -> list[Entry]:
        """About `batch_tokens` of work, or what takes a second if that is less: an equal share for each waiting
        client, then the rest to whoever has more.

        A client that was served goes to the end of the line, so that with more clients than room all get their turn.
        """
        room = min(self.engine.batch_tokens, self._pace.tokens_in(BATCH_SECONDS))
        batch: list[Entry] = []
        for share in (room // max(len(self._lines), 1), room):
            for client in list(self._lines):
                used = self._take_turn(client, share, room, batch)
                room -= used
                if used and client in self._lines:
                    self._lines.move_to_end(client)
        self._batches += bool(batch)
        return batch

    def _take_turn(self, client: str, share: int, room: int, batch: list[Entry]) -> int:
        """Move a client's pieces to the batch until its share is used up; the tokens taken.

        Of one client's jobs the one nearest its end goes first: a question does not wait for an import. But in every
        third batch it is the oldest, or a long one might wait as long as short ones come. One that was cancelled, or
        whose deadline has just passed, is taken out by whoever waits for it, in a moment.
        """
        used = 0
        wanted = [job for job in self._lines[client] if not job.done.done()]
        if self._batches % OLDEST_EVERY:
            wanted.sort(key=lambda job: job.tokens)
        for job in wanted:
            while job.pieces and (used < share or not batch):
                cost = self.engine.cost(job.pieces[0][1])
                if batch and used + cost > room:
                    return used
                place, piece = job.pieces.popleft()
                job.tokens -= cost
                used += cost
                batch.append(Entry(job, place, piece))
            if not job.pieces:
                self._drop(job)
                if client not in self._lines:
                    break
        return used

    async def _compute(self, batch: list[Entry]) -> None:
        sizes = Counter(id(entry.job) for entry in batch)
        for job in {id(entry.job): entry.job for entry in batch}.values():
            job.largest_batch = max(job.largest_batch, len(batch))
            if job.started is None:
                job.started = time.monotonic()
                job.on_start()
        began = time.monotonic()
        try:
            results = await self._in_thread(self._computing, self.engine.compute, [entry.piece for entry in batch])
        except Exception as problem:
            await self._find_fault(batch, sizes, problem)
            return
        seconds = time.monotonic() - began
        tokens = sum(self.engine.cost(entry.piece) for entry in batch)
        self._pace.saw(len(batch), tokens, seconds)
        metrics.BATCH_SECONDS.labels(self.name).observe(seconds)
        metrics.BATCH_TOKENS.labels(self.name).observe(tokens)
        metrics.TOKENS_COMPUTED.labels(self.name).inc(tokens)
        metrics.BATCH_SIZE.labels(self.name).observe(len(batch))
        for entry, result in zip(batch, results, strict=True):
            entry.job.results[entry.place] = result
            entry.job.unfinished -= 1
            if not entry.job.unfinished and not entry.job.done.done():
                entry.job.done.set_result(None)

    async def _find_fault(self, batch: list[Entry], sizes: Counter[int], problem: Exception) -> None:
        """One request's input may have broken the batch: compute each request's part by itself."""
        if len(sizes) == 1:
            log.error("%s failed at a batch of %d", self.name, len(batch), exc_info=problem)
            fail(batch[0].job, ModelsError("internal", f"The model failed: {type(problem).__name__}."))
            return
        for key in sizes:
            await self._compute([entry for entry in batch if id(entry.job) == key])

    def _load(self) -> None:
        began = time.monotonic()
        self.engine = self._open_engine()
        log.info("%s is ready after %.1f s", self.name, time.monotonic() - began)

    def _failure(self) -> ModelsError:
        sentence = f"The model {self.name} cannot be used; the model service's log says why."
        return ModelsUnavailable(sentence, retryable=False)

    @staticmethod
    async def _in_thread(thread: ThreadPoolExecutor, work: Callable[..., T], *given: Any) -> T:
        """The bridge: run a computation in the engine's thread and wait for it here."""
        return await asyncio.get_running_loop().run_in_executor(thread, work, *given)
