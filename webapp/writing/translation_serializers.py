"""Translations, terms and translated files as JSON."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers

from webapp.writing.models import FileStatus, GlossaryTerm, Translation, TranslationBatch, TranslationFile


class TranslationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Translation
        fields = ["id", "source", "target", "text", "translation", "created_at"]


class SiteField(serializers.BooleanField):
    """Whether a term is the site's: it has no owner."""

    def get_attribute(self, instance: GlossaryTerm) -> bool:
        return instance.owner_id is None


class GlossaryTermSerializer(serializers.ModelSerializer):
    site = SiteField(source="owner", default=False, help_text="for everyone on this site")

    class Meta:
        model = GlossaryTerm
        fields = ["id", "site", "source_language", "target_language", "source", "target", "case_sensitive", "hits"]
        read_only_fields = ["hits"]
        validators: list = []  # the service takes the same word again as a change


class TranslationFileSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField(help_text="of the translated file; empty until it is done")

    class Meta:
        model = TranslationFile
        fields = ["id", "name", "size", "status", "error", "detected", "via", "sentences_done", "sentences_total",
                  "flagged", "url"]

    def get_url(self, file: TranslationFile) -> str:
        return reverse("translated-file", args=[file.pk]) if file.status == FileStatus.DONE else ""


class TranslationBatchSerializer(serializers.ModelSerializer):
    files = TranslationFileSerializer(many=True)

    class Meta:
        model = TranslationBatch
        fields = ["id", "source", "target", "created_at", "files"]


class NewBatchSerializer(serializers.Serializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1, max_length=50)
    source = serializers.CharField(default="auto", max_length=16)
    target = serializers.CharField(max_length=16)
