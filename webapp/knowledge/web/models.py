"""What was asked to be fetched from the web, each address of it, and what is known of fetched documents."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

SOURCE_CHARACTERS = 1000
"""Of a web address, and of where a document comes from."""


class ImportStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (ImportStatus.QUEUED, ImportStatus.RUNNING)


class WebImport(models.Model):
    """A page, or all pages of a sitemap, that somebody wants in a collection."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey("knowledge.Collection", on_delete=models.CASCADE, related_name="web_imports")
    address = models.CharField(max_length=SOURCE_CHARACTERS)
    is_sitemap = models.BooleanField(default=False, help_text="said to be one, or found to be one")
    status = models.CharField(max_length=10, choices=ImportStatus.choices, default=ImportStatus.QUEUED)
    message = models.TextField(blank=True, default="", help_text="what a person should know of it as a whole")
    bytes = models.PositiveBigIntegerField(default=0, help_text="fetched so far")
    not_reached = models.PositiveIntegerField(default=0, help_text="addresses since one last answered")
    lease = models.CharField(max_length=64, blank=True, default="", help_text="which task works on it")
    lease_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.address


class AddressKind(models.TextChoices):
    UNKNOWN = "unknown"
    PAGE = "page"
    SITEMAP = "sitemap"


class AddressStatus(models.TextChoices):
    WAITING = "waiting"
    ADDED = "added"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    LISTED = "listed"
    SKIPPED = "skipped"
    FAILED = "failed"


class ImportedAddress(models.Model):
    """One address of an import, and what became of it. A sitemap's own addresses come to it when it has been read."""

    web_import = models.ForeignKey(WebImport, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=SOURCE_CHARACTERS)
    kind = models.CharField(max_length=10, choices=AddressKind.choices, default=AddressKind.UNKNOWN)
    depth = models.PositiveIntegerField(default=0, help_text="how many sitemaps lead to it")
    status = models.CharField(max_length=10, choices=AddressStatus.choices, default=AddressStatus.WAITING)
    reason = models.TextField(blank=True, default="", help_text="why it became no document, for a person")
    tries = models.PositiveIntegerField(default=0)
    document = models.ForeignKey("knowledge.Document", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["web_import", "address"], name="one_address_per_import")]


class WebOrigin(models.Model):
    """By what the server of a fetched document tells whether it has changed since."""

    document = models.OneToOneField("knowledge.Document", on_delete=models.CASCADE, related_name="origin")
    etag = models.CharField(max_length=255, blank=True, default="")
    last_modified = models.CharField(max_length=100, blank=True, default="")
    checked_at = models.DateTimeField(help_text="when the server was last asked")
