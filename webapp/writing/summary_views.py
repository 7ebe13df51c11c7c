"""The page for summarizing: empty, with a document of a collection, or with a text that was summarized before."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from models_service.protocol_summarized_text import MOST_WORDS
from qa.documents import ENDINGS, FORMAT_NAMES
from qa.writing.summarize import MAX_CHARACTERS
from webapp import access
from webapp.knowledge.figures import with_figures
from webapp.knowledge.models import DocumentStatus
from webapp.writing.summarizing import LANGUAGE_NAMES
from webapp.writing.summary_serializers import SummarizedTextDetailSerializer

LISTED = 30


@never_cache
@require_safe
def summarize(request: HttpRequest, identifier: UUID | None = None) -> HttpResponse:
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    own = access.own_summarized_texts(visitor)
    source = get_object_or_404(own, pk=identifier) if identifier else None
    return render(request, "writing/summarize.html", {
        "source": source,
        "saved": SummarizedTextDetailSerializer(source).data if source else None,
        "document": _document(request, visitor) if source is None else None,
        "history": list(own[:LISTED]),
        "collections": list(with_figures(access.readable_collections(visitor), visitor)),
        "endings": ",".join(ENDINGS),
        "formats": ", ".join(FORMAT_NAMES),
        "limit": settings.MAX_UPLOAD_BYTES,
        "limit_mb": settings.MAX_UPLOAD_BYTES // 1_000_000,
        "character_limit": MAX_CHARACTERS,
        "most_words": MOST_WORDS,
        "has_generator": settings.HAS_GENERATOR,
        "languages": LANGUAGE_NAMES,
    })


def _document(request: HttpRequest, visitor):
    """The document that ?document= names; one that may not be read is passed over, for a link is never an error."""
    try:
        wanted = UUID(request.GET.get("document", ""))
    except ValueError:
        return None
    return access.readable_documents(visitor).filter(pk=wanted, status=DocumentStatus.READY).first()
