"""Texts that were summarized, and their summaries, as JSON; what `POST /api/v1/summarize` takes and gives."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from models_service.protocol_summarized_text import MOST_WORDS
from webapp.writing.summary_models import SummarizedText, Summary

LENGTHS = ("short", "medium", "long")
STYLES = ("paragraph", "bullets", "sentence", "key_terms")


@extend_schema_field({"oneOf": [
    {"type": "string", "enum": list(LENGTHS)}, {"type": "integer", "minimum": 1, "maximum": MOST_WORDS},
]})
class LengthField(serializers.Field):
    """short, medium, long, or a number of words; of key terms, a number of terms."""

    default_error_messages = {
        "invalid": _("Write short, medium, long, or a number of words from 1 to {most}."),
    }

    def to_internal_value(self, data: Any) -> str | int:
        if data in LENGTHS:
            return data
        if isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 9:
            data = int(data)
        if isinstance(data, int) and not isinstance(data, bool) and 1 <= data <= MOST_WORDS:
            return data
        self.fail("invalid", most=MOST_WORDS)

    def to_representation(self, value: Any) -> Any:
        return value


class SummarizeSerializer(serializers.Serializer):
    """Either `text` or `document`."""

    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    document = serializers.CharField(required=False, max_length=64, help_text="the id of one that you may read")
    length = LengthField(default="medium")
    style = serializers.ChoiceField(choices=STYLES, default="paragraph")
    method = serializers.ChoiceField(
        choices=("quoted", "written"), required=False,
        help_text="quoted: sentences of the text; written: by the text generator, which is the default where one is",
    )
    language = serializers.CharField(required=False, max_length=2, help_text="of a written summary: en, zh, de …")
    stream = serializers.BooleanField(default=False, help_text="answer as text/event-stream, event by event")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("text" in given) == ("document" in given):
            raise serializers.ValidationError(_("Give either text or document."))
        return given


class SummarySerializer(serializers.ModelSerializer):
    """`payload` is its "done" or "error" event, {} until then."""

    length = LengthField(source="wanted_length", read_only=True)

    class Meta:
        model = Summary
        fields = ["id", "key", "length", "style", "method", "language", "status", "payload", "created_at"]


class SummarizedTextSerializer(serializers.ModelSerializer):
    document = serializers.UUIDField(source="document_id", allow_null=True, read_only=True)

    class Meta:
        model = SummarizedText
        fields = ["id", "title", "name", "document", "media_type", "characters", "words", "pages", "created_at",
                  "updated_at"]


class SummarizedTextDetailSerializer(SummarizedTextSerializer):
    summaries = SummarySerializer(many=True, read_only=True)

    class Meta(SummarizedTextSerializer.Meta):
        fields = [*SummarizedTextSerializer.Meta.fields, "summaries"]


class HandInSerializer(serializers.Serializer):
    """A text is handed in as a file, or as a document of a collection."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    title = serializers.CharField(required=False, allow_blank=True, max_length=120)
    document = serializers.CharField(required=False, max_length=64)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("file" in given) == ("document" in given):
            raise serializers.ValidationError(_("Give either file or document."))
        return given


class SourceTextSerializer(serializers.Serializer):
    """The text, where its pages begin, and its headings as [start, level, title]."""

    text = serializers.CharField()
    pages = serializers.ListField(child=serializers.IntegerField())
    headings = serializers.ListField(child=serializers.ListField())
