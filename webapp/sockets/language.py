"""In which language a socket's sentences are: Django's middleware chooses for pages, and sockets pass it by."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.utils import translation


def language_of(scope: Mapping[str, Any]) -> str:
    """The person's own choice, else what their browser asked for with its cookie or its Accept-Language."""
    own = getattr(scope.get("user"), "language", "")
    if own and translation.check_for_language(own):
        return own
    return translation.get_language_from_request(ASGIRequest({**scope, "method": "GET"}, BytesIO()))
