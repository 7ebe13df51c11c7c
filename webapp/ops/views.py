"""The addresses that a monitor asks: is the process alive, can the site do its work, what has it counted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from webapp.ops import health


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """`parts` says of each how it is and why; only those that answers need make the site unavailable."""
    standings = health.standings()
    ready = all(part.ok for part in standings if part.needed)
    told = {"status": "ok" if ready else "unavailable", "parts": {part.name: part.why for part in standings}}
    return JsonResponse(told, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
