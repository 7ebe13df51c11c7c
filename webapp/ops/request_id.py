"""Gives each HTTP request a short id, which its log lines, its response and its requests to models carry."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from models_service.trace import current

_ACCEPTABLE = re.compile(r"[\w-]{1,64}")


class RequestId:
    """Middleware. A proxy's own X-Request-Id is kept when it is a plain word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        identifier = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex[:12]
        token = current.set(identifier)
        streaming = False
        try:
            response = self.get_response(request)
            streaming = response.streaming
        finally:
            if not streaming:  # what is streamed is computed later, in the same context
                current.reset(token)
        response["X-Request-Id"] = identifier
        return response


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
