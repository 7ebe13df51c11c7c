"""Collections and their documents. Texts, originals and the index live on disk; these rows say what is there."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from webapp.knowledge.web.models import SOURCE_CHARACTERS, ImportedAddress, WebImport, WebOrigin

__all__ = [
    "Collection", "Document", "DocumentStatus", "ImportedAddress", "Share", "SOURCE_CHARACTERS", "Visibility",
    "WebImport", "WebOrigin",
]


WEB = ("http://", "https://")


class Visibility(models.TextChoices):
    PRIVATE = "private", _("Only me")
    SHARED = "shared", _("People and groups that I name")
    EVERYONE = "everyone", _("Everyone on this site")


class Collection(models.Model):
    """A named set of documents that questions are asked of."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE,
                              related_name="collections")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_name_per_owner")]

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """Lets one person or one group into a collection whose visibility is "shared"."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE,
                             related_name="shares")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="shares")
    may_edit = models.BooleanField(default=False, help_text="may also add and delete documents")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["group__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "user"], name="one_share_per_person"),
            models.UniqueConstraint(fields=["collection", "group"], name="one_share_per_group"),
            models.CheckConstraint(name="a_person_or_a_group", condition=(
                models.Q(user__isnull=True, group__isnull=False) | models.Q(user__isnull=False, group__isnull=True)
            )),
        ]

    def __str__(self) -> str:
        return str(self.group or self.user)


class DocumentStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    PROCESSING = "processing", _("Being read")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class Document(models.Model):
    """One uploaded file. `sha256` of its bytes recognises the same file in the same collection."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=255, help_text="the file's name")
    title = models.CharField(max_length=255, blank=True, default="")
    media_type = models.CharField(max_length=100, blank=True, default="")
    source = models.CharField(max_length=SOURCE_CHARACTERS, blank=True, default="", db_index=True,
                              help_text="what it is kept in step with: a path within a folder, a web address")
    version = models.PositiveIntegerField(default=1, help_text="counts the contents that its source has had")
    size = models.PositiveBigIntegerField(help_text="bytes of the original")
    characters = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=DocumentStatus.choices, default=DocumentStatus.QUEUED)
    error = models.TextField(blank=True, default="", help_text="what went wrong and what to do, for a person")
    recognised_pages = models.PositiveIntegerField(
        default=0, help_text="pages whose text was recognised in a picture, and may have errors")
    unread_pages = models.PositiveIntegerField(
        default=0, help_text="pages that are pictures and were not read, being more than the site recognises")
    passages_done = models.PositiveIntegerField(default=0)
    passages_total = models.PositiveIntegerField(default=0)
    lease = models.CharField(max_length=64, blank=True, default="", help_text="which task works on it")
    lease_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "name"]
        constraints = [models.UniqueConstraint(fields=["collection", "sha256"], name="one_copy_per_collection")]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def is_from_web(self) -> bool:
        return self.source.startswith(WEB)
