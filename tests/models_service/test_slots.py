"""Who may write and who waits: in turn between clients, bounded, and no slot is ever lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from models_service.engines.generating import Finish, Generation, Generator
from models_service.errors import ModelsError
from models_service.protocol import GenerateRequest
from models_service.slots import WAITING_PER_SLOT, Slots


class Held(Generator):
    """Writes its prompt when it is let go."""

    name = "held"

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.begun: list[str] = []
        self.go = asyncio.Event()

    async def stream(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        self.begun.append(given.prompt)
        await self.go.wait()
        yield given.prompt
        yield Finish("stop", 1, 1)

    async def close(self) -> None:
        pass


async def write(slots: Slots, prompt: str, client: str = "", deadline_ms: int | None = None) -> str:
    request = GenerateRequest(id="1", prompt=prompt, client=client, deadline_ms=deadline_ms)
    async with aclosing(slots.stream(request)) as pieces:
        return [piece async for piece in pieces][-1].text


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_texts_are_in_the_making_than_there_are_slots() -> None:
    held = Held(2)
    slots = Slots(held)
    tasks = [asyncio.create_task(write(slots, f"t{i}")) for i in range(4)]
    await settled()
    assert held.begun == ["t0", "t1"] and (slots.free, slots.waiting) == (0, 2)
    held.go.set()
    assert await asyncio.gather(*tasks) == ["t0", "t1", "t2", "t3"]
    assert (slots.free, slots.waiting) == (2, 0)


async def test_clients_take_turns_however_much_one_of_them_asks() -> None:
    held = Held(1)
    slots = Slots(held)
    asked = [("a", f"a{i}") for i in range(4)] + [("b", "b0"), ("c", "c0"), ("b", "b1")]
    tasks = []
    for client, prompt in asked:
        tasks.append(asyncio.create_task(write(slots, prompt, client)))
        await settled()
    held.go.set()
    await asyncio.gather(*tasks)
    assert held.begun == ["a0", "a1", "b0", "c0", "a2", "b1", "a3"]


async def test_a_full_line_refuses_with_a_time_to_come_back() -> None:
    held = Held(1)
    slots = Slots(held)
    tasks = [asyncio.create_task(write(slots, "x", str(i))) for i in range(1 + WAITING_PER_SLOT)]
    await settled()
    with pytest.raises(ModelsError) as caught:
        await write(slots, "too many", "another")
    assert caught.value.code == "busy" and caught.value.retryable and caught.value.retry_after_ms >= 250
    held.go.set()
    await asyncio.gather(*tasks)


async def test_one_client_may_fill_half_of_the_line() -> None:
    held = Held(1)
    slots = Slots(held)
    tasks = [asyncio.create_task(write(slots, "x", "greedy")) for _ in range(1 + WAITING_PER_SLOT // 2)]
    await settled()
    with pytest.raises(ModelsError, match="more work"):
        await write(slots, "x", "greedy")
    tasks.append(asyncio.create_task(write(slots, "x", "another")))
    held.go.set()
    await asyncio.gather(*tasks)


async def test_a_request_whose_turn_does_not_come_gives_up_at_its_deadline() -> None:
    held = Held(1)
    slots = Slots(held)
    first = asyncio.create_task(write(slots, "x"))
    await settled()
    with pytest.raises(ModelsError) as caught:
        await write(slots, "y", deadline_ms=20)
    assert caught.value.code == "deadline" and slots.waiting == 0
    held.go.set()
    await first
    assert held.begun == ["x"]


async def test_cancelled_texts_waiting_or_begun_leave_their_slots_to_others() -> None:
    held = Held(2)
    slots = Slots(held)
    tasks = [asyncio.create_task(write(slots, f"t{i}", str(i % 3))) for i in range(8)]
    await settled()
    for task in tasks[:1] + tasks[3:6]:
        task.cancel()
    held.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result for result in results if isinstance(result, str)] == ["t1", "t2", "t6", "t7"]
    assert (slots.free, slots.waiting) == (2, 0)


async def test_a_turn_that_comes_as_its_request_is_cancelled_is_passed_on() -> None:
    held = Held(1)
    slots = Slots(held)
    held.go.set()
    request = GenerateRequest(id="1", prompt="x")
    first = slots.stream(request)
    await anext(first)
    waiting = [asyncio.create_task(write(slots, f"w{i}")) for i in range(2)]
    await settled()
    await first.aclose()  # w0 has its turn now, and does not know it yet
    waiting[0].cancel()
    assert await waiting[1] == "w1"
    assert slots.free == 1
