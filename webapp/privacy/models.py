"""Exports of what is someone's own: one at a time for each person, made by a job, kept for a week."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ExportStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being put together")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class DataExport(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_export")
    status = models.CharField(max_length=8, choices=ExportStatus.choices, default=ExportStatus.QUEUED)
    size = models.PositiveBigIntegerField(default=0, help_text="bytes of the ZIP")
    asked_at = models.DateTimeField()
    changed_at = models.DateTimeField(auto_now=True)
