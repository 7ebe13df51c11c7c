"""A browser's end of /ws/summarize/, and handing texts in over REST, for tests."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.core.files.uploadedfile import SimpleUploadedFile

HOST, PATIENCE = "localhost", 60
SUMMARIES = "/api/v1/summaries/"


def hand_in(client: Any, content: str | bytes, name: str = "text.txt") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(SUMMARIES, {"file": SimpleUploadedFile(name, data)})


class SummarySocket:
    def __init__(self, cookies: str = "") -> None:
        from webapp.asgi import application

        headers = [(b"host", HOST.encode()), (b"cookie", cookies.encode())]
        scope = {
            "type": "websocket", "path": "/ws/summarize/", "raw_path": b"/ws/summarize/", "query_string": b"",
            "root_path": "", "headers": headers, "subprotocols": [], "scheme": "ws", "client": ("127.0.0.1", 1),
            "server": (HOST, 80),
        }
        self._application = ApplicationCommunicator(application, scope)

    async def open(self) -> SummarySocket:
        await self._application.send_input({"type": "websocket.connect"})
        assert (await self._application.receive_output(PATIENCE))["type"] == "websocket.accept"
        return self

    async def say(self, **message: Any) -> None:
        await self._application.send_input({"type": "websocket.receive", "text": json.dumps(message)})

    async def start(self, source: str, **wanted: Any) -> str:
        """The key."""
        key = wanted.pop("key", None) or uuid.uuid4().hex
        await self.say(type="start", key=key, source=source, **wanted)
        return key

    async def hear(self) -> dict[str, Any]:
        message = await self._application.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def hear_until(self, *kinds: str) -> list[dict[str, Any]]:
        heard = [await self.hear()]
        while heard[-1]["event"]["type"] not in kinds:
            heard.append(await self.hear())
        return heard

    async def leave(self) -> None:
        await self._application.send_input({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self._application.wait(PATIENCE), PATIENCE)


def cookies_of(client: Any) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
