"""A socket on which a page starts things that are produced and follows them: their events, to the last.

What the messages are and mean is each page's own: it gives `messages`, `handle` and `envelope`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext as _
from pydantic import BaseModel

from webapp import cancelling
from webapp.errors import Busy
from webapp.production.producer import Producer
from webapp.sockets.page import PageConsumer

log = logging.getLogger(__name__)

MOST_FOLLOWED = 16


class FollowingConsumer(PageConsumer):
    producer: Producer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._followers: dict[int, asyncio.Task[None]] = {}

    def envelope(self, identifier: int, owner: str, number: int, event: dict[str, Any]) -> BaseModel:
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        await cancelling.end(*self._followers.values())

    def follow(self, identifier: int, owner: str, after: int) -> None:
        """Send its events from a task of its own; following it once more begins anew. `owner`: what it belongs to."""
        earlier = self._followers.pop(identifier, None)
        if earlier is not None:
            earlier.cancel()
        if len(self._followers) >= MOST_FOLLOWED:
            raise Busy(_("This page follows too many answers at once. Wait until one of them is done."))
        task = asyncio.create_task(self._send_events(identifier, owner, after))
        self._followers[identifier] = task
        task.add_done_callback(lambda ended: self._forget(identifier, ended))

    def _forget(self, identifier: int, task: asyncio.Task[None]) -> None:
        if self._followers.get(identifier) is task:
            del self._followers[identifier]

    async def _send_events(self, identifier: int, owner: str, after: int) -> None:
        try:
            async with aclosing(self.producer.follow(identifier, after)) as events:
                async for number, event in events:
                    await self.send(self.envelope(identifier, owner, number, event).model_dump_json())
        except Exception:
            # The page has its own way back: it resumes after the last number that it saw.
            log.exception("%s can no longer be followed", self.producer.log_name(identifier))
            await self.close()
