"""The one shape of every error that a program sees: RFC 9457 problem+json."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from models_service.sealed.errors import SealedError
from webapp.errors import BadInput, SiteError
from webapp.limits.meter import LimitReached
from webapp.sealed_files import cannot_be_opened

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The type that the IETF's draft on rate limits gives to such a problem."""


def problem(status: int, detail: str, errors: dict[str, list[str]] | None = None, **more: Any) -> dict[str, Any]:
    """The body. `errors` names the fields that have to change, each with its sentences."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return {**body, "errors": errors} if errors else body


def problem_response(status: int, detail: str, **more: Any) -> JsonResponse:
    return JsonResponse(problem(status, detail, **more), status=status, content_type=MEDIA_TYPE)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Whatever a REST view raises, as a problem. An unforeseen error is logged and told without its details."""
    set_rollback()
    if isinstance(error, SealedError):
        error = cannot_be_opened(error)
    if isinstance(error, SiteError):
        errors = {error.field: [error.message]} if isinstance(error, BadInput) and error.field else None
        more = {"code": error.code, "retryable": error.retryable}
        if isinstance(error, LimitReached):
            more |= {"type": QUOTA_EXCEEDED, "violated-policies": [error.standing.name]}
        response = _response(problem(error.status, error.message, errors, **more))
        if error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response
    if isinstance(error, Http404):
        error = exceptions.NotFound(_("There is nothing here that you may see."))
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return _response(problem(413, _("The request is larger than this address takes.")))
    if not isinstance(error, exceptions.APIException):
        log.error("unforeseen error at %s", context["request"].path, exc_info=error)
        return _response(problem(500, _("Something went wrong on the server. Its log says what.")))
    if isinstance(error, exceptions.ValidationError):
        errors = _sentences(error.detail)
        return _response(problem(400, " ".join(part for parts in errors.values() for part in parts), errors))
    response = _response(problem(error.status_code, str(error.detail)))
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        response["Retry-After"] = str(int(error.wait))
    return response


def _response(body: dict[str, Any]) -> Response:
    return Response(body, status=body["status"], content_type=MEDIA_TYPE)


def _sentences(detail: Any) -> dict[str, list[str]]:
    """DRF's nested error details as field -> sentences; errors of no one field are under "request"."""
    if not isinstance(detail, dict):
        return {"request": [str(part) for part in detail]}
    flat: dict[str, list[str]] = {}
    for field, parts in detail.items():
        name = "request" if field == "non_field_errors" else field
        if isinstance(parts, dict):
            flat |= {f"{name}.{inner}": texts for inner, texts in _sentences(parts).items()}
        else:
            flat[name] = [str(part) for part in (parts if isinstance(parts, list) else [parts])]
    return flat


_DJANGO_ERRORS = {
    400: (defaults.bad_request, gettext_lazy("The request cannot be understood.")),
    403: (defaults.permission_denied, gettext_lazy("You may not do this.")),
    404: (defaults.page_not_found, gettext_lazy("There is no such address. /api/v1/docs lists them all.")),
    500: (defaults.server_error, gettext_lazy("Something went wrong on the server. Its log says what.")),
}


def page_or_problem(status: int) -> Callable[..., HttpResponse]:
    """Django's error view for `status`: a problem under /api/, the site's error page elsewhere."""
    page, detail = _DJANGO_ERRORS[status]

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.path.startswith("/api/"):
            return problem_response(status, str(detail))
        if request.path.startswith("/v1/"):
            from webapp.api.openai.errors import error_response

            return error_response(status, str(detail))
        return page(request, *args, **kwargs)

    return view
