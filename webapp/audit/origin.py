"""Who is at work in this thread or task, and from where: known here so that services need not be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from webapp.accounts.models import User

_at_work: ContextVar[HttpRequest | Mapping[str, Any] | None] = ContextVar("at_work", default=None)
"""The request or the socket's scope that is being answered; None in workers and commands."""


class KnowsOrigin:
    """Middleware for requests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _at_work.set(request)
        try:
            return self.get_response(request)
        finally:
            _at_work.reset(token)


class SocketOrigin:
    """ASGI middleware for sockets; inside of whatever puts the user into the scope."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        _at_work.set(scope)
        await self.application(scope, receive, send)


def actor() -> User | None:
    """The signed-in person, or the holder of the key, on whose behalf this runs."""
    source = _at_work.get()
    user = source.get("user") if isinstance(source, Mapping) else getattr(source, "user", None)
    return None if user is None or isinstance(user, AnonymousUser) or not user.is_authenticated else user


def address() -> str:
    """The network address that the request or socket comes from, as the trusted proxies give it; "" in a worker."""
    source = _at_work.get()
    if isinstance(source, Mapping):
        return (source.get("client") or [""])[0]
    return source.META.get("REMOTE_ADDR", "") if source is not None else ""
