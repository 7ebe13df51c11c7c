"""The page on which a search is looked at: the ranked passages with every score, and marks for the right ones."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp import access
from webapp.retrieval import searching


@never_cache
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The form; what it finds comes from POST /api/v1/search. ?q= asks at once."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    return render(request, "retrieval/search.html", {
        "collections": access.readable_collections(visitor).order_by("name"),
        "chosen": request.GET.getlist("collection"),
        "media_types": searching.media_types(visitor),
        "question": request.GET.get("q", "")[:2000],
        "marks": access.editable_marks(visitor).count(),
        "may_mark": access.may(visitor, "create_collection"),
        "may_train": access.may(visitor, "administer"),
    })
