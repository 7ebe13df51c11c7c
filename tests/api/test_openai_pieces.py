"""The pieces of /v1's choices, without a server: whoever leaves stops what makes them."""

from __future__ import annotations

import asyncio

from webapp.api.openai import pieces


async def test_leaving_before_the_first_piece_stops_the_writing() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def slow() -> pieces.Pieces:
        try:
            begun.set()
            await asyncio.Event().wait()
            yield 0, "never"
        finally:
            stopped.set()

    waiting = asyncio.create_task(pieces.looked_at(slow()))
    await begun.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() and stopped.is_set()
