"""Gives a guest's browser a session cookie with the first page it loads.

A socket cannot set a cookie, so the session that a guest is recognised by has to exist before the chat page's socket
opens. The guest's row in the database is made later, with the first thing that is written for them.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PATHS_WITHOUT_PAGES = ("/api/", "/static/", "/healthz", "/readyz", "/metrics")


class GuestSession:
    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_page = request.method == "GET" and not request.path.startswith(PATHS_WITHOUT_PAGES)
        if is_page and settings.GUESTS_MAY_CHAT and not request.session.session_key and request.user.is_anonymous:
            request.session["visited"] = True
        return self.get_response(request)
