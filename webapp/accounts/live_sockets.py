"""Closes the sockets of someone whose access ended or changed: deactivated, signed out from afar, given another role.

A process asks the database once a second for all of its sockets together, and only while it has any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async
from django.db import Error

from webapp.accounts.models import EndedAccess

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LATE = 100
"""So many notices before the newest one are looked at again: one with a lower number may be committed after it."""
COME_BACK = 1012
"""The page's socket opens anew, as whoever the browser is then."""


@dataclass(eq=False)
class _Socket:
    user_id: int | None
    session_key: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class _Watch:
    """The open sockets of one event loop, and the task that looks for those that are to end."""

    def __init__(self) -> None:
        self.sockets: set[_Socket] = set()
        self._task: asyncio.Task[None] | None = None
        self._one_starts = asyncio.Lock()

    async def add(self, socket: _Socket) -> None:
        async with self._one_starts:  # sockets that open at the same moment share one task
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look(await _newest()))
            self.sockets.add(socket)

    def remove(self, socket: _Socket) -> None:
        self.sockets.discard(socket)
        if not self.sockets and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self, seen: set[int]) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                notices = await _after(max(seen, default=0) - LATE)
            except Error as error:
                log.warning("whether someone's access ended cannot be looked up now (%s)", error)
                continue
            for number, user_id, session_key in notices:
                for socket in self.sockets if number not in seen else ():
                    if socket.user_id == user_id and session_key in ("", socket.session_key):
                        socket.ended.set()
            seen = {number for number, _user, _key in notices} or seen


_watches: dict[asyncio.AbstractEventLoop, _Watch] = {}


class EndsWithAccess:
    """ASGI middleware for sockets, inside of what finds the user: a disconnect is what the application sees of it."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user, session = scope.get("user"), scope.get("session")
        if user is None or not user.is_authenticated:
            await self.application(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        watch = _watches.setdefault(loop, _Watch())
        socket = _Socket(user.pk, (session.session_key if session else "") or "")
        await watch.add(socket)
        try:
            await self.application(scope, _Receive(socket, receive, send), _until_ended(socket, send))
        finally:
            watch.remove(socket)
            if not watch.sockets:
                _watches.pop(loop, None)


class _Receive:
    """The socket's next message; a disconnect once it has ended."""

    def __init__(self, socket: _Socket, receive: Any, send: Any) -> None:
        self._socket, self._receive, self._send = socket, receive, send

    async def __call__(self) -> dict[str, Any]:
        message = asyncio.ensure_future(self._receive())
        ended = asyncio.ensure_future(self._socket.ended.wait())
        try:
            await asyncio.wait({message, ended}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                return message.result()
            await self._send({"type": "websocket.close", "code": COME_BACK})
            return {"type": "websocket.disconnect", "code": COME_BACK}
        finally:
            ended.cancel()
            message.cancel()


def _until_ended(socket: _Socket, send: Any) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def guarded(message: dict[str, Any]) -> None:
        if not socket.ended.is_set():
            await send(message)

    return guarded


@database_sync_to_async
def _newest() -> set[int]:
    return set(EndedAccess.objects.order_by("-pk").values_list("pk", flat=True)[:LATE])


@database_sync_to_async
def _after(number: int) -> list[tuple[int, int, str]]:
    return list(EndedAccess.objects.filter(pk__gt=number).order_by("pk").values_list("pk", "user_id", "session_key"))
