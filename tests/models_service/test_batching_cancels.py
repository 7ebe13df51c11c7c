"""A request that is cancelled, or whose deadline passes, at every moment of its life in the queue."""

from __future__ import annotations

import asyncio

import pytest

from models_service.errors import ModelsError
from tests.models_service.letters import Letters, running, submitted


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
