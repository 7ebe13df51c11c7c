"""Lets a WebSocket in only from this site's own pages, or from a program that no browser runs.

A browser sends its cookies with a socket that any page opens, and always says which page in Origin; there is no CSRF
token on a socket. A program sends no Origin and holds no cookies of someone else's.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import validate_host
from django.urls import re_path

log = logging.getLogger(__name__)
NOT_FOUND = 4404


class SocketGate:
    """ASGI middleware: closes the socket before it opens (HTTP 403) when host or origin is not this site's."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        if not is_allowed(host, origin):
            log.warning("refused a socket from origin %r to host %r", origin, host)
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.application(scope, receive, send)


def is_allowed(host: str, origin: str) -> bool:
    """Whether a socket to `host` opened by a page of `origin` ("" when no browser opens it) may come in."""
    name = urlsplit(f"//{host}").hostname or ""
    if not validate_host(name, [entry.strip("[]") for entry in settings.ALLOWED_HOSTS]):
        return False
    return not origin or origin in settings.CSRF_TRUSTED_ORIGINS or urlsplit(origin).netloc == host


class UnknownSocket(AsyncWebsocketConsumer):
    """A socket at an address that does not exist: closed, where the router alone would raise."""

    async def connect(self) -> None:
        await self.close(NOT_FOUND)


unknown_socket = re_path(r"", UnknownSocket.as_asgi())
