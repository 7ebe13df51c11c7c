"""Conversations: questions, their answers with every version and citation, and what people thought of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from webapp.knowledge.models import Collection


class Conversation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True, default="")
    collections = models.ManyToManyField(Collection, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return self.title


class MessageRole(models.TextChoices):
    QUESTION = "question"
    ANSWER = "answer"


class MessageStatus(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Message(models.Model):
    """A question or an answer. An edited question or a regenerated answer supersedes the one before, which stays."""

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=8, choices=MessageRole.choices)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="answers",
                               help_text="an answer's question")
    key = models.CharField(max_length=64, help_text="made by the page; a repeated message is recognised by it")
    text = models.TextField(blank=True, default="")
    status = models.CharField(max_length=8, choices=MessageStatus.choices, default=MessageStatus.DONE)
    payload = models.JSONField(default=dict, help_text="an answer's AnswerDone or AnswerError, as sent")
    superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "role", "key"], name="one_message_per_key"),
        ]


class Feedback(models.Model):
    """Thumbs up or down on one answer, with an optional note and corrected answer."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    helpful = models.BooleanField()
    note = models.TextField(blank=True, default="", max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)


class AbstentionBar(models.Model):
    """The confidence below which this site withholds an answer; one row at most, none while nobody has moved it."""

    value = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(0.95)])
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
