"""The Ops page for administrators, and its figures alone, which the page asks for again while it is open."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp import access
from webapp.knowledge.models import DocumentStatus
from webapp.ops import snapshot
from webapp.training.models import JobStatus


@never_cache
@require_safe
def ops(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "administer")
    return render(request, "ops/ops.html", _figures(request))


@never_cache
@require_safe
def figures(request: HttpRequest) -> JsonResponse:
    """`html`: the part of the page that changes."""
    access.require(request.user, "administer")
    return JsonResponse({"html": render_to_string("ops/figures.html", _figures(request), request)})


def _figures(request: HttpRequest) -> dict[str, Any]:
    now = snapshot.taken(request.user)
    documents, jobs = (now.storage.documents, now.storage.jobs) if now.storage else ({}, {})
    return {
        "now": now, "documents": [(state.label, documents.get(state.value, 0)) for state in DocumentStatus],
        "jobs": [(state.label, jobs[state.value]) for state in JobStatus if state.value in jobs],
    }
