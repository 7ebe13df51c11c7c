"""Gives each HTTP request a short id, which its log lines, its response and its requests to models carry."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from models_service.json_log import request_of
from models_service.trace import acceptable, current


class RequestId:
    """Middleware. A proxy's own X-Request-Id is kept when it is a plain word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        identifier = given if acceptable(given) else uuid.uuid4().hex[:12]
        request.request_id = identifier
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
    """Django logs how a request ended when it is over, and says of which it speaks."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = getattr(getattr(record, "request", None), "request_id", "")
        record.request_id = told or request_of(record)
        return True
