"""Collections with the numbers that lists show beside them."""

from __future__ import annotations

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from webapp import access
from webapp.knowledge.models import Collection, DocumentStatus


def with_figures(collections: QuerySet[Collection], user) -> QuerySet[Collection]:
    """Adds document_count, passage_count (of what can be searched now) and is_editable and is_managed (by `user`)."""
    ready = Q(documents__status=DocumentStatus.READY)
    return collections.annotate(
        document_count=Count("documents"),
        passage_count=Coalesce(Sum("documents__passages_total", filter=ready), 0, output_field=IntegerField()),
        is_editable=Exists(access.editable_collections(user).filter(pk=OuterRef("pk"))),
        is_managed=Exists(access.managed_collections(user).filter(pk=OuterRef("pk"))),
    ).order_by("name", "pk")  # grouping drops the model's own order
