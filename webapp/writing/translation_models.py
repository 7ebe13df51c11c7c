"""What is kept of translating: glossaries, the history of signed-in people, and files that are translated as jobs."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Translation(models.Model):
    """A text that someone translated while signed in."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="translations")
    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    text = models.TextField()
    translation = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]


class GlossaryTerm(models.Model):
    """A word that is always translated in one way, for its owner, or for everyone when there is none."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE,
                              related_name="glossary_terms")
    source_language = models.CharField(max_length=16)
    target_language = models.CharField(max_length=16)
    source = models.CharField(max_length=200)
    target = models.CharField(max_length=200)
    case_sensitive = models.BooleanField(default=False)
    hits = models.PositiveBigIntegerField(default=0, help_text="how often it was met in kept translations")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["source"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "source_language", "target_language", "source"],
                                    name="one_term_per_owner"),
            models.UniqueConstraint(fields=["source_language", "target_language", "source"],
                                    condition=models.Q(owner=None), name="one_term_per_site"),
        ]


class TranslationBatch(models.Model):
    """Files that were handed in together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="translation_batches")
    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]


class FileStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being translated")
    DONE = "done", _("Translated")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class TranslationFile(models.Model):
    """One file of a batch. What is done of it is kept in its folder, so that a killed worker's work is not lost."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(TranslationBatch, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=FileStatus.choices, default=FileStatus.QUEUED)
    error = models.TextField(blank=True, default="", help_text="what went wrong and what to do, for a person")
    detected = models.CharField(max_length=16, blank=True, default="")
    via = models.CharField(max_length=16, blank=True, default="")
    sentences_done = models.PositiveIntegerField(default=0)
    sentences_total = models.PositiveIntegerField(default=0)
    flagged = models.PositiveIntegerField(default=0, help_text="sentences that a reader should look at")
    lease = models.CharField(max_length=64, blank=True, default="", help_text="which task works on it")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "name"]
