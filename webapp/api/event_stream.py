"""Server-sent events: an answer, a summary or a translation as it comes, over plain HTTP.

A stream cannot be taken up again where it broke off; it is asked for anew. The sockets of the pages can be resumed.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse
from pydantic import BaseModel
from rest_framework.renderers import BaseRenderer

from webapp.limits.slots import Slot

EVENT_STREAM = "text/event-stream"


class EventStreamRenderer(BaseRenderer):
    """Only says that this type may be asked for; a refusal is JSON all the same."""

    media_type = EVENT_STREAM
    format = "event-stream"

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        return json.dumps(data, ensure_ascii=False).encode()


EVENT = {"type": "object", "required": ["event", "data"], "properties": {
    "event": {"type": "string"}, "data": {"type": "string", "contentMediaType": "application/json"},
}}


def described(events: str, schema: str) -> OpenApiResponse:
    """For the OpenAPI description: which events come, each as `schema` in /api/v1/protocol.

    Before OpenAPI 3.2, the schema of a stream is that of each of its events.
    """
    return OpenApiResponse({**EVENT, "description": (
        f"with `stream`: the events {events}, each as `{schema}` in /api/v1/protocol describes it; disconnecting "
        "stops the work, and a stream that broke off is asked for anew")})


def streamed(events: AsyncIterator[BaseModel], slot: Slot) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(_written(events, slot), content_type=EVENT_STREAM, headers=headers)


async def _written(events: Any, slot: Slot) -> AsyncIterator[bytes]:
    async with slot, aclosing(events):
        async for event in events:
            yield f"event: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()
