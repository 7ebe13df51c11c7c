"""The queue: who gets a turn, what a cancel, a deadline and a full queue do. Real threads, a small real engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from models_service import batching
from models_service.batching import EngineQueue
from models_service.engines.base import Engine, like_sized
from models_service.errors import ModelsError
from models_service.jobs import FEW_TOKENS, Entry, Job


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


async def test_each_request_gets_its_own_outputs_in_its_own_order() -> None:
    engine = Letters()
    engine.allow()
    async with running(engine) as queue:
        asked = [[f"w{i} {'x' * (i % 7)}", "", f"{i}"] for i in range(40)]
        outcomes = await asyncio.gather(*(queue.submit(inputs, client=str(len(inputs[0]))) for inputs in asked))
    for inputs, outcome in zip(asked, outcomes, strict=True):
        assert outcome.outputs == [" ".join(given.upper().split()) for given in inputs]


async def test_what_waits_while_the_engine_is_busy_is_computed_in_one_batch() -> None:
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"])
        await engine.busy()
        others = [await submitted(queue, [word], client=word) for word in ("ab", "cd", "ef")]
        engine.allow()
        await asyncio.gather(first, *others)
    assert engine.batches == [["one"], ["ab", "cd", "ef"]]
    assert others[0].result().timings.batch_size == 3


async def test_a_batch_has_at_most_its_tokens_unless_one_piece_has_more() -> None:
    engine = Letters(batch_tokens=10)
    engine.allow()
    async with running(engine) as queue:
        await queue.submit(["a" * 25, "b" * 4, "c" * 4, "d" * 4])
    assert [sum(map(len, batch)) for batch in engine.batches] == [25, 8, 4]


async def test_a_batch_of_a_slow_engine_is_what_takes_a_second(monkeypatch) -> None:
    """So that a cancel is seen to soon. The clock goes by a second with every 500 letters."""
    engine = Letters(batch_tokens=4096)
    now = [0.0]
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: now[0]))
    compute = engine.compute

    def slow(pieces: Sequence[str]) -> list[str]:
        now[0] += sum(map(len, pieces)) / 500
        return compute(pieces)

    engine.compute = slow
    engine.allow()
    async with running(engine) as queue:
        await queue.submit(["w" * 50] * 80)
    sizes = [sum(map(len, batch)) for batch in engine.batches]
    assert sizes[0] <= FEW_TOKENS and max(sizes) == 500 and sum(sizes) == 4000


async def test_a_client_with_little_work_shares_the_next_batch_with_one_that_has_much() -> None:
    engine = Letters(batch_tokens=10)
    async with running(engine) as queue:
        much = await submitted(queue, ["m"] * 100, client="much")
        await engine.busy()
        little = await submitted(queue, ["l", "l"], client="little")
        engine.allow(2)
        await little
        assert not much.done()
        assert engine.batches[1].count("l") == 2 and engine.batches[1].count("m") == 8
        engine.allow()
        await much


async def test_with_more_clients_than_room_all_get_their_turn() -> None:
    engine = Letters(batch_tokens=4)
    async with running(engine) as queue:
        tasks = [await submitted(queue, ["first"], client="first")]
        await engine.busy()
        tasks += [await submitted(queue, [name * 2] * 2, client=name) for name in "abcdef"]
        engine.allow()
        await asyncio.gather(*tasks)
    assert engine.batches[1:4] == [["aa", "bb"], ["cc", "dd"], ["ee", "ff"]]


async def test_one_clients_question_does_not_wait_for_its_own_import() -> None:
    engine = Letters(batch_tokens=10)
    async with running(engine) as queue:
        long = await submitted(queue, ["m"] * 100, client="alice")
        await engine.busy()
        question = await submitted(queue, ["why", "how"], client="alice")
        engine.allow(2)
        await question
        assert not long.done()
        engine.allow()
        await long


async def test_a_long_request_goes_on_however_many_short_ones_of_its_client_come() -> None:
    engine = Letters(batch_tokens=10)
    async with running(engine) as queue:
        first = await submitted(queue, ["first"])
        await engine.busy()
        long = await submitted(queue, ["l" * 10] * 5, client="alice")
        short = [await submitted(queue, ["s" * 10], client="alice") for _ in range(20)]
        engine.allow()
        await asyncio.gather(first, long, *short)
    assert [batch[0][0] for batch in engine.batches[1:9]] == [*"sl", *"ssl", *"ssl"]


async def test_a_cancelled_request_leaves_the_queue_without_being_computed() -> None:
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"], client="a")
        await engine.busy()
        cancelled = await submitted(queue, ["never"], client="b")
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        engine.allow()
        await first
        await queue.submit(["last"])
    assert engine.batches == [["one"], ["last"]]


async def test_a_request_that_is_cancelled_in_the_moment_of_its_turn_does_not_get_it() -> None:
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"], client="a")
        await engine.busy()
        started: list[str] = []
        late = await submitted(queue, ["never"], client="b", on_start=lambda: started.append("b"))
        other = await submitted(queue, ["two"], client="c")
        queue.before_batch = late.cancel
        engine.allow()
        await asyncio.gather(first, other)
        assert late.cancelled() and not started
    assert engine.batches == [["one"], ["two"]]


async def test_a_deadline_that_passes_in_the_moment_of_the_turn_ends_its_own_request_only(monkeypatch) -> None:
    """What asyncio does when a deadline passes: it cancels the waiting, and its own state is `expiring` until that is
    seen to."""
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"], client="a")
        await engine.busy()
        limits: list[asyncio.Timeout] = []

        def kept(seconds: float | None) -> asyncio.Timeout:
            limits.append(asyncio.Timeout(seconds and asyncio.get_running_loop().time() + seconds))
            return limits[-1]

        monkeypatch.setattr(asyncio, "timeout", kept)
        late = await submitted(queue, ["never"], client="b", deadline_ms=3_600_000)
        queue.before_batch = lambda: None if limits[0].expired() else limits[0]._on_timeout()
        engine.allow()
        await first
        with pytest.raises(ModelsError, match="did not get its turn"):
            await late
        assert (await queue.submit(["last"])).outputs == ["LAST"]
    assert engine.batches == [["one"], ["last"]]


async def test_cancelling_a_running_request_frees_the_engine_within_one_batch() -> None:
    engine = Letters(batch_tokens=10)
    async with running(engine) as queue:
        long = await submitted(queue, ["m" * 10] * 50, client="long")
        await engine.busy()
        next_one = await submitted(queue, ["next"], client="next")
        long.cancel()
        engine.allow()
        await next_one
    assert engine.batches == [["m" * 10], ["next"]]
    assert long.cancelled()


async def test_a_request_that_is_not_started_by_its_deadline_is_given_up() -> None:
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"], client="a")
        await engine.busy()
        with pytest.raises(ModelsError) as caught:
            await queue.submit(["late"], client="b", deadline_ms=10)
        assert caught.value.code == "deadline" and caught.value.retryable
        engine.allow()
        await first
        await queue.submit(["last"])
    assert engine.batches == [["one"], ["last"]]


async def test_a_request_that_has_started_may_outlive_its_deadline() -> None:
    engine = Letters()
    async with running(engine) as queue:
        task = asyncio.create_task(queue.submit(["one"], deadline_ms=1000))
        await engine.busy()
        await asyncio.sleep(1.1)
        engine.allow()
        assert (await task).outputs == ["ONE"]


async def test_a_full_queue_says_when_to_come_back() -> None:
    engine = Letters()
    async with running(engine, max_waiting=10) as queue:
        waiting = [await submitted(queue, ["w"] * 5, client=name) for name in "ab"]
        with pytest.raises(ModelsError) as caught:
            await queue.submit(["more"], client="c")
        assert (caught.value.code, caught.value.retryable) == ("busy", True)
        assert 100 <= caught.value.retry_after_ms <= 10_000
        engine.allow()
        await asyncio.gather(*waiting)
        assert (await queue.submit(["more"], client="c")).outputs == ["MORE"]


async def test_one_client_cannot_fill_the_queue() -> None:
    engine = Letters()
    async with running(engine, max_waiting=10) as queue:
        first = await submitted(queue, ["w"] * 5, client="greedy")
        with pytest.raises(ModelsError, match="more work"):
            await queue.submit(["w"], client="greedy")
        other = await submitted(queue, ["w"] * 5, client="modest")
        engine.allow()
        await asyncio.gather(first, other)


async def test_an_input_that_breaks_the_engine_fails_its_own_request_only() -> None:
    engine = Letters()
    async with running(engine) as queue:
        first = await submitted(queue, ["one"])
        await engine.busy()
        bad = await submitted(queue, ["bad"], client="b")
        good = await submitted(queue, ["good"], client="g")
        engine.allow()
        await first
        assert (await good).outputs == ["GOOD"]
        with pytest.raises(ModelsError) as caught:
            await bad
        assert caught.value.code == "internal"


async def test_an_engine_that_cannot_load_refuses_its_requests() -> None:
    async with running(Letters(batch_tokens=0)) as queue:
        with pytest.raises(ModelsError) as caught:
            await queue.submit(["one"])
    assert (caught.value.code, caught.value.retryable, queue.state) == ("unavailable", False, "failed")


async def test_a_stopped_queue_closes_its_engine() -> None:
    engine = Letters()
    engine.allow()
    async with running(engine) as queue:
        await queue.submit(["one"])
    assert await asyncio.to_thread(engine.closed.wait, 30)


def test_batches_of_like_size_hold_every_piece_once_within_the_limit() -> None:
    lengths = [3, 250, 17, 256, 9, 200, 128, 64, 251, 5] * 10
    batches = like_sized(lengths, int, 2048)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(batch) * lengths[batch[0]] <= 2048 for batch in batches)
    assert all(lengths[batch[0]] == max(lengths[i] for i in batch) for batch in batches)
