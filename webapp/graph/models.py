"""The files that the knowledge graph is made of. What they state lies on disk (`qa/graph.py`)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class GraphStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    IMPORTING = "importing", _("Being imported")
    READY = "ready", _("In the graph")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    REMOVING = "removing", _("Being removed")


UNFINISHED = (GraphStatus.QUEUED, GraphStatus.IMPORTING, GraphStatus.REMOVING)


class GraphSource(models.Model):
    """One imported file. In the graph its `name` stands for it: other content of the same name takes its place."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, db_index=True)
    format = models.CharField(max_length=20, help_text="the file's ending, which says how it is written")
    size = models.PositiveBigIntegerField(help_text="bytes of the file as it came")
    sha256 = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=10, choices=GraphStatus.choices, default=GraphStatus.QUEUED)
    error = models.TextField(blank=True, default="", help_text="what went wrong and what to do, for a person")
    bytes_done = models.PositiveBigIntegerField(default=0)
    triples = models.PositiveBigIntegerField(default=0, help_text="read so far")
    lease = models.CharField(max_length=64, blank=True, default="", help_text="which task works on it")
    lease_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED
