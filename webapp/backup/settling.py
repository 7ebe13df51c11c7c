"""After a restore: each document that counts as read can be found, or is read in anew, or says why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from qa.document_store import DocumentMissing
from qa.index import CollectionGone
from qa.segments import SegmentCorrupt
from webapp.knowledge import storage, tidying
from webapp.knowledge.models import Collection, Document, DocumentStatus
from webapp.privacy.models import DataExport


@dataclass
class Settled:
    """How many documents there are, are to be read in anew and have no file; names of collections whose index was
    damaged, which are read in anew as a whole."""

    documents: int = 0
    to_read: int = 0
    without_file: int = 0
    damaged_indexes: list[str] = field(default_factory=list)


def settle() -> Settled:
    """Verify each index by its checksums, and compare it with the rows."""
    done = Settled(documents=Document.objects.count())
    for collection in Collection.objects.all():
        _settle_collection(collection, done)
    unfinished = Document.objects.filter(status=DocumentStatus.PROCESSING)
    _to_be_read(unfinished.values_list("pk", flat=True))
    done.to_read = Document.objects.filter(status=DocumentStatus.QUEUED).count()
    DataExport.objects.all().delete()  # their files are in no backup
    tidying.tidy()
    return done


def _settle_collection(collection: Collection, done: Settled) -> None:
    index = storage.index(collection.pk)
    try:
        index.check()
        found = index.document_ids()
    except CollectionGone:
        found = set()
    except SegmentCorrupt:
        done.damaged_indexes.append(collection.name)
        storage.clear_index(collection.pk)
        found = set()
    again = []
    for document in collection.documents.exclude(status=DocumentStatus.FAILED):
        if not _has_file(document):
            done.without_file += 1
            Document.objects.filter(pk=document.pk).update(
                status=DocumentStatus.FAILED, updated_at=timezone.now(),
                error=_("Its file is not in the backup: it was being deleted, or was missing. Add it anew."))
        elif document.status == DocumentStatus.READY and str(document.pk) not in found:
            again.append(document.pk)
    _to_be_read(again)


def _has_file(document: Document) -> bool:
    try:
        return storage.documents().original(str(document.pk)).is_file()
    except DocumentMissing:
        return False


def _to_be_read(documents: object) -> None:
    """The worker finds them once the site runs."""
    Document.objects.filter(pk__in=list(documents)).update(
        status=DocumentStatus.QUEUED, error="", lease="", lease_until=None, passages_done=0,
        updated_at=timezone.now())
