"""The queue: who gets a turn, what a full queue and a broken engine do. Real threads, a small real engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from models_service import batching
from models_service.engines.base import like_sized
from models_service.errors import ModelsError
from models_service.jobs import FEW_TOKENS
from tests.models_service.letters import Letters, running, submitted


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
