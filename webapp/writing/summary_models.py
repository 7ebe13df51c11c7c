"""What is kept of summarizing: the texts that were handed in, and the summaries made of each."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from webapp.knowledge.models import Document


class SummarizedText(models.Model):
    """A text handed in to be summarized. The text itself lies on disk; a document's stays in its collection."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="summarized_texts")
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="", help_text="the file's name, where there was one")
    media_type = models.CharField(max_length=100, blank=True, default="")
    characters = models.PositiveBigIntegerField(default=0)
    words = models.PositiveBigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return self.title


class SummaryStatus(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Summary(models.Model):
    """One summary of a text, in the length and form that were asked for."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(SummarizedText, on_delete=models.CASCADE, related_name="summaries")
    key = models.CharField(max_length=64, help_text="made by the page; a repeated message is recognised by it")
    length = models.CharField(max_length=8, help_text="short, medium, long, or a number of words")
    style = models.CharField(max_length=12)
    method = models.CharField(max_length=8)
    language = models.CharField(max_length=8, blank=True, default="", help_text="to write in; the text's if empty")
    status = models.CharField(max_length=8, choices=SummaryStatus.choices, default=SummaryStatus.RUNNING)
    payload = models.JSONField(default=dict, help_text="its SummaryDone, or its error, as sent")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="one_summary_per_key")]

    @property
    def wanted_length(self) -> str | int:
        return int(self.length) if self.length.isdigit() else self.length
