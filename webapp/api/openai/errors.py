"""Errors as OpenAI's clients read them: {"error": {"message", "type", "param", "code"}} with the same statuses."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from rest_framework.response import Response

from models_service.errors import ModelsError
from models_service.protocol import AnswerError
from webapp.api.ask import STATUS_OF_CODE
from webapp.api.problems import exception_handler
from webapp.errors import BadInput, SiteError
from webapp.limits.meter import LimitReached

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 404: "not_found", 413: "context_length_exceeded", 429: "rate_limit_exceeded",
          503: "service_unavailable"}


class WritingFailed(SiteError):
    """The models could not do their part."""

    def __init__(self, code: str, message: str, retryable: bool, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.retryable = code, STATUS_OF_CODE[code], retryable
        self.retry_after_seconds = max(1, round((retry_after_ms or 1000) / 1000)) if retryable else None

    @staticmethod
    def of(problem: ModelsError | AnswerError) -> WritingFailed:
        return WritingFailed(problem.code, problem.message, problem.retryable,
                             getattr(problem, "retry_after_ms", None))


class NoSuchModel(SiteError):
    code = "model_not_found"
    status = 404


def body(status: int, message: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code or _CODES.get(status)}}


def error_response(status: int, message: str) -> JsonResponse:
    return JsonResponse(body(status, message), status=status)


def body_of(error: SiteError) -> dict[str, Any]:
    """Of what happened in the middle of a stream, where the status has been sent."""
    return body(error.status, error.message, param=error.field if isinstance(error, BadInput) else None,
                code=_code_of(error))


def _code_of(error: SiteError) -> str | None:
    """Where it says more than the status does. A client does not try again when the day's quota is used up."""
    if isinstance(error, LimitReached) and error.standing.window_seconds > 60:
        return "insufficient_quota"
    return error.code if isinstance(error, NoSuchModel) else None


def openai_exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Whatever a view raises: the status that a problem has elsewhere, in the shape that is expected here."""
    problem = exception_handler(error, context)
    told = body_of(error) if isinstance(error, SiteError) else body(problem.status_code, problem.data["detail"])
    response = Response(told, status=problem.status_code)
    for name in ("WWW-Authenticate", "Retry-After"):
        if problem.has_header(name):
            response[name] = problem[name]
    return response
