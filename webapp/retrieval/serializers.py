"""What a search is asked, what it finds, and what is said of it, as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from models_service.protocol import MAX_QUESTION_CHARACTERS
from qa.search import MOST_RESULTS
from webapp.retrieval.models import Mark
from webapp.retrieval.searching import Filters, Found, why


class SearchSerializer(serializers.Serializer):
    question = serializers.CharField(allow_blank=True)
    collections = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=50, required=False, default=list,
        help_text="ids or names of collections that you may read; all of them when none is given",
    )
    documents = serializers.ListField(child=serializers.UUIDField(), max_length=500, required=False, default=list)
    media_types = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=50, required=False, default=list,
        help_text="such as text/markdown",
    )
    added_from = serializers.DateField(required=False, allow_null=True, default=None)
    added_to = serializers.DateField(required=False, allow_null=True, default=None)
    k = serializers.IntegerField(min_value=1, max_value=MOST_RESULTS, default=10)

    def filters(self) -> Filters:
        names = ("collections", "documents", "media_types", "added_from", "added_to")
        return Filters(**{name: self.validated_data[name] for name in names})


class DuplicateSerializer(serializers.Serializer):
    document = serializers.CharField()
    title = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    url = serializers.CharField()


class ScoresSerializer(serializers.Serializer):
    fused = serializers.FloatField(help_text="the sum of reciprocal ranks that the order comes from")
    dense = serializers.FloatField(allow_null=True, help_text="cosine")
    dense_rank = serializers.IntegerField(allow_null=True)
    bm25 = serializers.FloatField(allow_null=True)
    bm25_rank = serializers.IntegerField(allow_null=True)
    reranked = serializers.FloatField(allow_null=True, help_text="null where no reranker is served")


class FoundSerializer(serializers.Serializer):
    """One passage that was found."""

    collection = serializers.CharField()
    document = serializers.CharField()
    title = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    text = serializers.CharField()
    before = serializers.CharField(help_text="the passage before it in its document")
    after = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    section = serializers.CharField()
    recognised = serializers.BooleanField(help_text="its text was recognised in a picture, and may have errors")
    url = serializers.CharField()
    scores = ScoresSerializer()
    why = serializers.CharField()
    words = serializers.ListField(child=serializers.CharField(), help_text="the question's words that it holds")
    also_in = DuplicateSerializer(many=True)
    is_right = serializers.BooleanField(allow_null=True, help_text="what was said of it for this question")
    may_mark = serializers.BooleanField()


def shown(found: Found, is_right: bool | None, may_mark: bool) -> dict[str, Any]:
    """What FoundSerializer describes."""
    retrieved, citation = found.result.retrieved, found.citation
    return {
        "collection": retrieved.collection, "document": citation.document, "title": citation.title,
        "start": citation.start, "end": citation.end, "text": citation.quote,
        "before": found.result.before, "after": found.result.after,
        "page": citation.page, "section": citation.section, "recognised": citation.recognised,
        "url": citation.url,
        "scores": {name: None if (value := getattr(retrieved, name)) is None else round(value, 4)
                   for name in ("fused", "dense", "dense_rank", "bm25", "bm25_rank", "reranked")},
        "why": why(found), "words": list(found.result.words),
        "also_in": [other.model_dump() for other in citation.also_in],
        "is_right": is_right, "may_mark": may_mark,
    }


class SearchResultsSerializer(serializers.Serializer):
    question = serializers.CharField()
    results = FoundSerializer(many=True)
    seconds = serializers.FloatField()


class MarkSerializer(serializers.ModelSerializer):
    """Whether a passage is the right one for a question; `is_right` null takes the mark back."""

    question = serializers.CharField(max_length=MAX_QUESTION_CHARACTERS)
    document = serializers.UUIDField(source="document_id")
    is_right = serializers.BooleanField(allow_null=True)

    class Meta:
        model = Mark
        fields = ["question", "document", "start", "end", "is_right"]
        validators: list[Any] = []
