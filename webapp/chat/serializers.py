"""Conversations, messages and feedback as JSON."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webapp.chat.models import Conversation, Feedback, Message


class FeedbackSerializer(serializers.ModelSerializer):
    message = serializers.IntegerField(source="message_id", min_value=1, help_text="the answer's id")
    note = serializers.CharField(required=False, allow_blank=True, default="")

    class Meta:
        model = Feedback
        fields = ["message", "helpful", "note", "created_at"]
        read_only_fields = ["created_at"]
        extra_kwargs = {"helpful": {"required": True}}


class MessageSerializer(serializers.ModelSerializer):
    """An answer's `payload` is its "done" or "error" event, {} until then; a question's names collections."""

    parent = serializers.IntegerField(source="parent_id", allow_null=True, help_text="an answer's question")
    feedback = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ["id", "role", "parent", "key", "text", "status", "superseded", "payload", "feedback", "created_at"]

    @extend_schema_field(FeedbackSerializer(allow_null=True))
    def get_feedback(self, message: Message) -> dict | None:
        given = getattr(message, "feedback", None)
        return FeedbackSerializer(given).data if given is not None else None


class ConversationSerializer(serializers.ModelSerializer):
    """`collections` are those that the last question was asked of; none means all that one may read."""

    collections = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = Conversation
        fields = ["id", "title", "collections", "created_at", "updated_at"]
        read_only_fields = ["id", "created_at", "updated_at"]
        extra_kwargs = {"title": {"required": True, "allow_blank": False}}


class ConversationDetailSerializer(ConversationSerializer):
    messages = MessageSerializer(many=True, read_only=True)

    class Meta(ConversationSerializer.Meta):
        fields = [*ConversationSerializer.Meta.fields, "messages"]
