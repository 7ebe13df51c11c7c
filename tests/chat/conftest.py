"""What the chat's tests share: a browser's end of the socket, over the real ASGI application."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

HOST = "localhost"
PATIENCE = 20


class Socket:
    """A browser's end of a socket, over the site's real ASGI application."""

    def __init__(self, headers: list[tuple[bytes, bytes]], path: str = "/ws/chat/") -> None:
        from webapp.asgi import application

        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": headers, "subprotocols": [], "scheme": "ws", "client": ("127.0.0.1", 1), "server": (HOST, 80),
        }
        self._application = ApplicationCommunicator(application, scope)

    async def open(self) -> bool:
        await self._application.send_input({"type": "websocket.connect"})
        return (await self._application.receive_output(PATIENCE))["type"] == "websocket.accept"

    async def say(self, **message: Any) -> None:
        await self.say_text(json.dumps(message))

    async def say_text(self, text: str) -> None:
        await self._application.send_input({"type": "websocket.receive", "text": text})

    async def say_bytes(self, data: bytes) -> None:
        await self._application.send_input({"type": "websocket.receive", "bytes": data})

    async def hear(self) -> dict[str, Any]:
        message = await self._application.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def hear_close(self) -> int:
        message = await self._application.receive_output(PATIENCE)
        assert message["type"] == "websocket.close", message
        return message["code"]

    async def hear_until(self, kind: str) -> list[dict[str, Any]]:
        """The envelopes up to the first event of this type."""
        heard = [await self.hear()]
        while heard[-1]["event"]["type"] != kind:
            assert heard[-1]["event"]["type"] not in ("done", "error"), heard[-1]
            heard.append(await self.hear())
        return heard

    async def is_silent(self) -> bool:
        return await self._application.receive_nothing(0.3)

    async def hear_refusal(self) -> bool:
        """Whether the socket is closed as one that need not come back, after whatever is said before."""
        message = await self._application.receive_output(PATIENCE)
        while message["type"] == "websocket.send":
            message = await self._application.receive_output(PATIENCE)
        return message["type"] == "websocket.close" and message["code"] in (4401, 4403, 4404)

    async def stays_open(self) -> bool:
        """Whether it is not closed within a moment."""
        while not await self._application.receive_nothing(0.2):
            if (await self._application.receive_output(PATIENCE))["type"] != "websocket.send":
                return False
        return True

    async def ask(self, question: str, **more: Any) -> str:
        """Ask; the key."""
        key = uuid.uuid4().hex
        await self.say(type="ask", key=key, question=question, **more)
        return key

    async def leave(self) -> None:
        """Close the page. What the application still does for this socket has ended when this returns."""
        await self._application.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._application.wait(PATIENCE)


@pytest.fixture
async def connect(redis_url: str) -> AsyncIterator[Any]:
    """Opens sockets: `await connect(user)`; `session` and `headers` for those who are not signed in."""
    opened: list[Socket] = []

    async def connect(user: Any = None, session: Any = None, headers: tuple = ()) -> Socket:
        cookies = []
        if user is not None:
            session = await _signed_in(user)
        if session is not None:
            cookies = [(b"cookie", f"sessionid={session.session_key}".encode())]
        socket = Socket([(b"host", HOST.encode()), *cookies, *headers])
        if not await socket.open():
            raise ConnectionRefusedError
        opened.append(socket)
        return socket

    yield connect
    for socket in opened:
        await socket.leave()
    from webapp.chat import producer

    for production in list(producer._running.values()):
        await producer.stop(production.identifier)


async def _signed_in(user: Any) -> Any:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    await asyncio.to_thread(session.save)
    return session
