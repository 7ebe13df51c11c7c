"""/ws/collections/<id>/: a collection's documents while they are read in. Checks, follows, sends."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from webapp import access, cancelling
from webapp.knowledge import live
from webapp.ops.socket_gate import NOT_FOUND

log = logging.getLogger(__name__)

CHECK_SECONDS = 5
"""How often it is looked whether the collection is still there for this person."""


class CollectionConsumer(AsyncWebsocketConsumer):
    """Sends {"type": "document", "seq", ...} and {"type": "deleted", "seq", "id"}; takes nothing.

    A page that comes back gives ?after=SEQ, the last number that it saw. Code 4404 means: do not come back.
    """

    channel_layer_alias = ""  # none: events come from the event log, so a restart of Redis does not end the socket

    async def connect(self) -> None:
        self._sending: asyncio.Task[None] | None = None
        self._collection = str(self.scope["url_route"]["kwargs"]["pk"])
        await self.accept()
        if await self._is_readable():
            self._sending = asyncio.create_task(self._send_changes())
        else:
            await self.close(NOT_FOUND)

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            await cancelling.end(self._sending)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Whatever is said here is of no interest."""

    async def _is_readable(self) -> bool:
        readable = access.readable_collections(self.scope["user"]).filter(pk=self._collection)
        return await readable.aexists()

    async def _send_changes(self) -> None:
        try:
            checked = time.monotonic()
            async with aclosing(live.changes(self._collection, _after(self.scope))) as events:
                async for event in events:
                    if time.monotonic() - checked > CHECK_SECONDS:
                        checked = time.monotonic()
                        if not await self._is_readable():
                            await self.close(NOT_FOUND)
                            return
                    if event is not None:
                        await self.send(json.dumps({**event[1], "seq": event[0]}))
        except Exception:
            log.exception("the progress of collection %s can no longer be followed", self._collection)
            await self.close()  # the page comes back


def _after(scope: dict[str, Any]) -> int:
    given = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0
