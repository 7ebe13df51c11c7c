"""Collections and documents as JSON: the same for the REST interface and for the live progress socket."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers

from webapp.knowledge.models import Collection, Document, Share


class CollectionSerializer(serializers.ModelSerializer):
    documents = serializers.IntegerField(source="document_count", read_only=True)
    passages = serializers.IntegerField(source="passage_count", read_only=True)
    editable = serializers.BooleanField(source="is_editable", read_only=True, help_text="you may add documents")
    managed = serializers.BooleanField(source="is_managed", read_only=True, help_text="you may rename and share it")

    class Meta:
        model = Collection
        fields = ["id", "name", "description", "visibility", "documents", "passages", "editable", "managed",
                  "created_at"]
        extra_kwargs = {"description": {"max_length": 2000}}


class ShareSerializer(serializers.ModelSerializer):
    user = serializers.CharField(source="user.username", default=None, allow_null=True, help_text="a user name")
    group = serializers.CharField(source="group.name", default=None, allow_null=True, help_text="a group's name")

    class Meta:
        model = Share
        fields = ["id", "user", "group", "may_edit", "created_at"]


class DocumentSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField()
    duplicate = serializers.SerializerMethodField(help_text="the same content was already there")

    class Meta:
        model = Document
        fields = [
            "id", "collection", "name", "title", "media_type", "source", "version", "size", "characters", "sha256",
            "recognised_pages", "unread_pages", "status", "error", "passages_done", "passages_total", "created_at",
            "url", "duplicate",
        ]

    def get_url(self, document: Document) -> str:
        return reverse("document", args=[document.pk])

    def get_duplicate(self, document: Document) -> bool:
        return bool(self.context.get("duplicate"))


class UploadSerializer(serializers.Serializer):
    """What an upload has to bring."""

    collection = serializers.UUIDField()
    file = serializers.FileField(allow_empty_file=True, help_text="an empty one is refused with its own sentence")


class AddedSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="the file's path within the archive")
    document = DocumentSerializer()
    duplicate = serializers.BooleanField(help_text="the same content was already there")


class RefusedSerializer(serializers.Serializer):
    path = serializers.CharField()
    reason = serializers.CharField(help_text="why it is no document, for a person")


class UnpackedSerializer(serializers.Serializer):
    """What became of each file of an archive."""

    added = AddedSerializer(many=True)
    refused = RefusedSerializer(many=True)


def document_json(document: Document, *, duplicate: bool = False) -> dict:
    """Plain values only, ready for json.dumps."""
    values = dict(DocumentSerializer(document, context={"duplicate": duplicate}).data)
    return {name: str(value) if name in ("id", "collection") else value for name, value in values.items()}
