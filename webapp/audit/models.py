"""The audit log: what was done, by whom, when, from where. Rows are added, never changed, and removed by age only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    SIGNED_IN = "sign-in", _("Signed in")
    SIGN_IN_FAILED = "sign-in failed", _("Sign-in failed")
    SIGNED_OUT = "sign-out", _("Signed out")
    SIGNED_UP = "account made", _("Account made")
    PASSWORD_CHANGED = "password changed", _("Password changed")
    PASSWORD_LINK_MADE = "password link made", _("Link for a new password made")
    BROWSER_ENDED = "browser signed out", _("Browser signed out from afar")
    KEY_MADE = "key made", _("API key made")
    KEY_USED = "key used", _("API key used")
    KEY_DELETED = "key deleted", _("API key deleted")
    INVITED = "invited", _("Invitation made")
    INVITATION_WITHDRAWN = "invitation withdrawn", _("Invitation withdrawn")
    ROLE_CHANGED = "role changed", _("Role changed")
    DEACTIVATED = "deactivated", _("Account deactivated")
    REACTIVATED = "reactivated", _("Account activated again")
    ACCOUNT_DELETED = "account deleted", _("Account deleted")
    GROUP_CHANGED = "group changed", _("Group changed")
    DATA_EXPORTED = "data exported", _("Own data exported")
    UPLOADED = "uploaded", _("Document uploaded")
    FETCH_ASKED = "fetch asked", _("Web address to be fetched")
    FETCH_REFUSED = "fetch refused", _("Private web address refused")
    DOCUMENT_DELETED = "document deleted", _("Document deleted")
    COLLECTION_MADE = "collection made", _("Collection made")
    COLLECTION_DELETED = "collection deleted", _("Collection deleted")
    ACCESS_CHANGED = "access changed", _("Access to a collection changed")
    GRAPH_FILE_ADDED = "graph file added", _("File added to the knowledge graph")
    GRAPH_FILE_REMOVED = "graph file removed", _("File taken out of the knowledge graph")
    DATASET_UPLOADED = "data set uploaded", _("Data set uploaded")
    DATASET_DELETED = "data set deleted", _("Data set deleted")
    JOB_STARTED = "job started", _("Job started")
    JOB_STOPPED = "job stopped", _("Job stopped")
    JOB_DELETED = "job deleted", _("Job deleted")
    PROMOTED = "promoted", _("Model put into use")
    MODEL_DOWNLOADED = "model downloaded", _("Model downloaded")
    LIMITS_CHANGED = "limits changed", _("Limits of an account changed")
    ABSTENTION_CHANGED = "abstention changed", _("Bar for answers moved")
    FILES_ENCRYPTED = "files encrypted", _("Stored files encrypted anew")
    BACKED_UP = "backed up", _("Backup made")
    RESTORED = "restored", _("Site restored from a backup")
    LOG_EXPORTED = "log exported", _("Audit log exported")


def actions() -> list[tuple[str, str]]:
    """Named in the migrations instead of the actions themselves, so that a new one needs none."""
    return Action.choices


class EntryIsFinal(Exception):
    """An entry of the audit log was about to be changed or deleted."""


class Entries(models.QuerySet["Entry"]):
    def update(self, **_values: Any) -> NoReturn:
        raise EntryIsFinal

    def delete(self) -> NoReturn:
        raise EntryIsFinal

    def forget_before(self, moment: datetime) -> int:
        """The one way out of the log: by age. How many went."""
        old = self.filter(at__lt=moment)
        return old._raw_delete(old.db)


class Entry(models.Model):
    """`actor_id` is no foreign key: an entry outlives the account that it tells of."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=30, choices=actions, db_index=True)
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=150, blank=True, default="", help_text="their name then; none: the site")
    subject = models.CharField(max_length=300, blank=True, default="", help_text="on what, in words")
    details = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")

    objects = Entries.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def save(self, *args: Any, **options: Any) -> None:
        if self.pk is not None:
            raise EntryIsFinal
        super().save(*args, **options)

    def delete(self, *_args: Any, **_options: Any) -> NoReturn:
        raise EntryIsFinal
