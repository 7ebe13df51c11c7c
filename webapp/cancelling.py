"""Ends tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

ASK_AGAIN_SECONDS = 1.0


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these until they are done; what they raise is left in them.

    Once is not enough: code in a thread of Django's swallows a cancellation that comes while it runs, and so does
    `asyncio.wait_for`, with which Redis's client sends, before Python 3.12 (github.com/python/cpython/issues/86296).
    """
    while under_way := {task for task in tasks if not task.done()}:
        for task in under_way:
            task.cancel()
        await asyncio.wait(under_way, timeout=ASK_AGAIN_SECONDS)
