"""Turns the site's own errors, raised by a page's view, into a page: sign in first, or a sentence that says why."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from models_service.sealed.errors import SealedError
from webapp.errors import NotSignedIn, SiteError
from webapp.sealed_files import cannot_be_opened


class PageErrors:
    """Middleware. The REST interface has its own shape of errors (`webapp/api/problems.py`) and never comes here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, SealedError):
            error = cannot_be_opened(error)
        if not isinstance(error, SiteError):
            return None
        if isinstance(error, NotSignedIn):
            return redirect_to_login(request.get_full_path())
        context = {"status": error.status, "message": error.message}
        return render(request, "site/error.html", context, status=error.status)
