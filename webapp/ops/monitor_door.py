"""Lets monitors in by whatever name they know a process: its address, its container's name, past the proxy."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

ADDRESSES = ("/healthz", "/readyz", "/metrics")


class MonitorDoor:
    """Middleware, before those that look at the host's name: what monitors are told holds no link and no cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES:
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)
        return request.resolver_match.func(request)
