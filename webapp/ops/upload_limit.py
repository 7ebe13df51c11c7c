"""Refuses a request body that is too large while it arrives, before Django stores it anywhere.

ASGI middleware rather than Django's: Django has read the whole body by the time that its middleware runs.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from typing import Any

from django.conf import settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class _TooLarge(Exception):
    pass


class UploadLimit:
    """Files (multipart) may be as large as a setting says, any other body 2 MB."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        is_form = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
        limit = settings.MAX_REQUEST_BYTES if is_form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        named = settings.MAX_UPLOAD_BYTES if is_form else limit
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(scope["path"], named, send)
            return
        arrived = 0
        answering = False

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.application(scope, counted, watched)
        except _TooLarge:
            if not answering:
                await _refuse(scope["path"], named, send)


async def _refuse(path: str, limit: int, send: Send) -> None:
    detail = f"This is larger than {limit // 1_000_000} MB, the most that may be sent at once. Split it into parts."
    if path.startswith("/api/"):
        problem = {"type": "about:blank", "title": "Content Too Large", "status": 413, "detail": detail}
        body, kind = json.dumps(problem).encode(), b"application/problem+json"
    elif path.startswith("/v1/"):
        error = {"message": detail, "type": "invalid_request_error", "param": None, "code": "request_too_large"}
        body, kind = json.dumps({"error": error}).encode(), b"application/json"
    else:
        body, kind = f"<!doctype html><title>413</title><p>{escape(detail)}</p>".encode(), b"text/html; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
