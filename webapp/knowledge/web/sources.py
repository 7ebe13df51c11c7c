"""Which web addresses documents came from, to be shown beside what is cited from them."""

from __future__ import annotations

from collections.abc import Iterable

from webapp.knowledge.models import Document


def web_sources(document_ids: Iterable[str]) -> dict[str, str]:
    """The addresses of those of the documents that came from the web."""
    found = Document.objects.filter(pk__in=set(document_ids), source__startswith="http").only("pk", "source")
    return {str(document.pk): document.source for document in found if document.is_from_web}
