"""A fetched page as a document of its collection: a new one, a new version, or the one that is there already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from models_service.sealed import files
from webapp.knowledge import services as documents
from webapp.knowledge.models import Collection, Document, DocumentStatus
from webapp.knowledge.web import content
from webapp.knowledge.web.fetch import Fetched, Stamp
from webapp.knowledge.web.models import AddressStatus, ImportedAddress, WebImport, WebOrigin

CHUNK_BYTES = 1 << 20


def known(collection: Collection, address: str) -> Document | None:
    """The newest version of what came from this address before."""
    return Document.objects.filter(collection=collection, source=address).order_by("-version").first()


def stamp_of(document: Document | None) -> Stamp | None:
    """What the server is asked with whether the document has changed; None where it is to be fetched anyway."""
    if document is None or document.status == DocumentStatus.FAILED:
        return None
    origin = WebOrigin.objects.filter(document=document).first()
    return Stamp(origin.etag, origin.last_modified) if origin else None


def add(web_import: WebImport, row: ImportedAddress, fetched: Fetched, before: Document | None) -> None:
    """Add it as an upload is added; `before` is the version that was there.

    Raises:
        FetchProblem: it is of a type that is not read here.
        SiteError: it is refused as an upload would be.
    """
    name = content.file_name(fetched)
    content.make_utf8(fetched, name)
    document, is_known = documents.add_document(
        web_import.collection, name, _chunks(fetched.file), web_import.added_by, row.address)
    if is_known and document.status == DocumentStatus.FAILED:
        documents.retry(document)
    if document.source != row.address:
        end(row, AddressStatus.DUPLICATE, document=document)
        return
    _remember(document, fetched.stamp)
    end(row, AddressStatus.UNCHANGED if document == before else AddressStatus.ADDED, document=document)


def note_unchanged(row: ImportedAddress, document: Document) -> None:
    """The server says that it has not changed."""
    WebOrigin.objects.filter(document=document).update(checked_at=timezone.now())
    end(row, AddressStatus.UNCHANGED, document=document)


def end(row: ImportedAddress, status: AddressStatus, reason: str = "", document: Document | None = None) -> None:
    """Write down what became of an address."""
    ImportedAddress.objects.filter(pk=row.pk).update(status=status, reason=reason, document=document)


def _remember(document: Document, stamp: Stamp) -> None:
    with suppress(IntegrityError), transaction.atomic():  # deleted a moment ago
        WebOrigin.objects.update_or_create(document=document, defaults={
            "etag": stamp.etag, "last_modified": stamp.last_modified, "checked_at": timezone.now()})


def _chunks(file: Path) -> Iterator[bytes]:
    with files.open_read(file) as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk
