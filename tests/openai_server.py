"""A server that speaks OpenAI's protocol over real HTTP, and does what a test tells it to, well-behaved or not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Reply = Callable[[dict[str, Any]], Response]
KEY = "sk-test-1234567890"


class OpenAIServer:
    """`replies` are used up one a request, the last one for all that follow; `seen` are the requests' bodies."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [says("Hello")]
        self.seen: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self.closed_early = threading.Event()
        """A client has gone before its stream was over."""
        self._server = uvicorn.Server(uvicorn.Config(self._app(), port=0, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.02)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)

    def reset(self) -> None:
        self.replies = [says("Hello")]
        self.seen.clear()
        self.authorizations.clear()
        self.closed_early.clear()

    def _app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            body = await request.json()
            self.seen.append(body)
            self.authorizations.append(request.headers.get("authorization", ""))
            response = (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])(body)
            if isinstance(response, StreamingResponse):
                response.body_iterator = self._watched(response.body_iterator)
            return response

        paths = ("/v1/chat/completions", "/v1/completions")
        return Starlette(routes=[Route(path, answer, methods=["POST"]) for path in paths])

    async def _watched(self, events: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for event in events:
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.closed_early.set()
            raise


def event(text: str | None, finish: str | None = None, *, chat: bool = True) -> str:
    said = {"delta": {"role": "assistant", "content": text}} if chat else {"text": text}
    choice = {"index": 0, "finish_reason": finish, **said}
    return "data: " + json.dumps({"id": "c-1", "object": "chat.completion.chunk", "choices": [choice]}) + "\n\n"


def events(*lines: str, then: asyncio.Event | None = None, kind: str = "text/event-stream") -> Reply:
    """These lines as they are; then, given an event, nothing more until it is set."""

    async def stream() -> AsyncIterator[str]:
        for line in lines:
            yield line
        if then is not None:
            await then.wait()

    return lambda _: StreamingResponse(stream(), media_type=kind)


def says(*pieces: str, finish: str = "stop") -> Reply:
    """The pieces as a well-behaved server streams them, in the form that was asked for."""

    def reply(body: dict[str, Any]) -> Response:
        chat = "messages" in body
        usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(pieces), "total_tokens": 0}}
        lines = [event("", chat=chat), *(event(piece, chat=chat) for piece in pieces)]
        lines += [event(None if chat else "", finish, chat=chat), f"data: {json.dumps(usage)}\n\n"]
        lines.append("data: [DONE]\n\n")
        return events(*lines)(body)

    return reply


def hangs(*pieces: str) -> Reply:
    """Some text and then silence, for as long as the client stays."""
    return lambda body: events(*map(event, pieces), then=asyncio.Event())(body)


def fails(status: int, message: str = "", **headers: str) -> Reply:
    return lambda _: JSONResponse(
        {"error": {"message": message, "type": "x", "code": status}}, status_code=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def breaks(*pieces: str) -> Reply:
    """Some text, and the connection is gone."""

    async def stream() -> AsyncIterator[str]:
        for piece in pieces:
            yield event(piece)
        raise ConnectionError("this server was told to break off")

    return lambda _: StreamingResponse(stream(), media_type="text/event-stream")


@pytest.fixture(scope="session")
def running_openai_server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def openai_server(running_openai_server: OpenAIServer) -> OpenAIServer:
    running_openai_server.reset()
    return running_openai_server
