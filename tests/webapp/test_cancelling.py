import asyncio
from contextlib import suppress

from webapp import cancelling


async def test_a_task_that_swallows_its_cancellation_is_ended_all_the_same(monkeypatch):
    monkeypatch.setattr(cancelling, "ASK_AGAIN_SECONDS", 0.01)
    swallowed = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed.append(1)
                if len(swallowed) == 3:
                    raise

    async def failing() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        raise OSError("while it ended")

    tasks = [asyncio.create_task(work()) for work in (deaf, failing)]
    await asyncio.sleep(0)
    await cancelling.end(*tasks)
    assert len(swallowed) == 3
    assert tasks[0].cancelled()
    assert isinstance(tasks[1].exception(), OSError)


async def test_what_is_done_already_is_left_alone():
    done = asyncio.create_task(asyncio.sleep(0, "its result"))
    await done
    await cancelling.end(done)
    await cancelling.end()
    assert done.result() == "its result"
