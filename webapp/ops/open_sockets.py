"""Counts the WebSockets that are open in this process, by what they are for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import Gauge

from webapp.ops import processes

KINDS = ("chat", "summarize", "translate", "collections", "jobs")
OPEN = Gauge("wenda_websockets_open", "WebSockets of browsers and programs that are open", ["kind"])

Message = MutableMapping[str, Any]


class CountSockets:
    """ASGI middleware. The kind is the address's second word, of a fixed list: none makes a series of its own."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        words = scope["path"].split("/")
        kind = words[2] if len(words) > 2 and words[1] == "ws" and words[2] in KINDS else "other"
        is_open = False

        async def watched(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.accept" and not is_open:
                is_open = True
                OPEN.labels(kind).inc()
                processes.own.sockets += 1
            await send(message)

        try:
            await self.application(scope, receive, watched)
        finally:
            if is_open:
                OPEN.labels(kind).dec()
                processes.own.sockets -= 1
