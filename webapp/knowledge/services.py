"""What changes collections and documents. Each function leaves rows, files and the index agreeing with each other.

Who may call it on what is decided before, by `webapp/access.py`. Reading a document in is `ingestion.py`'s.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from qa.documents import DocumentError, format_of
from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Conflict
from webapp.knowledge import progress, refusals, storage
from webapp.knowledge.models import Collection, Document, DocumentStatus, Visibility
from webapp.uploads import plain_name, receive

log = logging.getLogger(__name__)


def create_collection(
    owner: User | None, name: str, description: str = "", visibility: str = Visibility.PRIVATE
) -> Collection:
    """A new, empty collection; `owner` is None for those that come with the site."""
    collection = Collection(owner=owner, name=name.strip(), description=description, visibility=visibility)
    _save(collection)
    record(Action.COLLECTION_MADE, collection.name, collection=str(collection.pk), visibility=visibility)
    return collection


def change_collection(collection: Collection, **changes: str) -> None:
    """Change name, description or visibility."""
    before = collection.visibility
    for field, value in changes.items():
        setattr(collection, field, value)
    _save(collection)
    if collection.visibility != before:
        record(Action.ACCESS_CHANGED, collection.name, collection=str(collection.pk), before=before,
               after=collection.visibility)


def _save(collection: Collection) -> None:
    try:
        collection.full_clean(exclude=["owner"] if collection.owner is None else None)
        with transaction.atomic():
            collection.save()
    except (ValidationError, IntegrityError) as error:
        same_name = Collection.objects.filter(owner=collection.owner, name=collection.name).exclude(pk=collection.pk)
        if same_name.exists():
            raise BadInput(_("You already have a collection of this name."), "name") from None
        if isinstance(error, IntegrityError):
            raise
        raise BadInput(" ".join(error.messages), next(iter(error.message_dict), "")) from None


def delete_collection(collection: Collection) -> None:
    """Out of every answer at once, then its rows and files; a task that is reading one of its documents gives up."""
    identifiers = list(collection.documents.values_list("pk", flat=True))
    pk = collection.pk
    collection.delete()
    record(Action.COLLECTION_DELETED, collection.name, collection=str(pk), documents=len(identifiers))
    storage.delete_index(pk)
    for identifier in identifiers:
        storage.delete_files(identifier)


def add_document(
    collection: Collection, name: str, chunks: Iterable[bytes], user: User | None, source: str = ""
) -> tuple[Document, bool]:
    """Keep a file and queue it to be read; (document, whether this content was already in the collection).

    Args:
        source: where the file comes from, if it is kept in step with it: other content from the same source is a new
            version, which takes the earlier one's place once it has been read in.

    Raises:
        BadInput: the file is empty, or of a type that is not read here.
        TooLarge: it is larger than the site takes.
    """
    name = plain_name(name, "document.txt")
    try:
        format_of(name)
    except DocumentError as error:
        raise BadInput(refusals.sentence(error, name), "file") from None
    incoming = settings.DATA_DIR / "incoming" / uuid.uuid4().hex
    incoming.parent.mkdir(parents=True, exist_ok=True)
    try:
        size, digest = receive(chunks, incoming, name)
        document = Document(collection=collection, name=name, size=size, sha256=digest, added_by=user, source=source)
        document, duplicate = _register(document, incoming)
    finally:
        incoming.unlink(missing_ok=True)
    if not duplicate:
        record(Action.UPLOADED, document.name, by=user, document=str(document.pk), collection=collection.name)
        progress.queue(document)
    return document, duplicate


def _register(document: Document, incoming: Path) -> tuple[Document, bool]:
    same = Document.objects.filter(collection=document.collection, sha256=document.sha256)
    known = same.first()
    if known is not None:
        if known.source and known.source == document.source:  # it has been changed back
            _delete_all(_of_source(known).filter(version__gt=known.version))
        return known, True
    if document.source:
        newest = _of_source(document).order_by("-version").first()
        document.version = newest.version + 1 if newest else 1
    original = storage.original(document.pk)
    original.parent.mkdir(parents=True, exist_ok=True)
    incoming.replace(original)  # before the row, so that no task ever sees a row without its file
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError:
        storage.delete_files(document.pk)
        known = same.first()
        if known is not None:  # uploaded twice at the same moment
            return known, True
        raise BadInput(_("This collection has just been deleted."), "collection") from None
    return document, False


def retire_earlier_versions(document: Document) -> None:
    """To be called once `document` can be searched: from then on it alone stands for its source."""
    if document.source:
        _delete_all(_of_source(document).filter(version__lt=document.version))


def _of_source(document: Document) -> QuerySet[Document]:
    return Document.objects.filter(collection=document.collection_id, source=document.source)


def _delete_all(documents: QuerySet[Document]) -> None:
    for document in documents:
        delete_document(document)


def delete_document(document: Document) -> None:
    """Out of every answer at once, then its row and files; a task that is reading it gives up."""
    pk, collection = document.pk, document.collection_id
    storage.delete_from_index(collection, pk)
    document.delete()
    record(Action.DOCUMENT_DELETED, document.name, document=str(pk), collection=str(collection))
    storage.delete_from_index(collection, pk)  # a task may have published it between the two lines above
    storage.delete_files(pk)
    progress.announce_deletion(collection, pk)


def retry(document: Document) -> Document:
    """Read a document once more that could not be read."""
    changed = Document.objects.filter(pk=document.pk, status=DocumentStatus.FAILED).update(
        status=DocumentStatus.QUEUED, error="", lease="", lease_until=None, updated_at=timezone.now()
    )
    if not changed:
        raise Conflict(_("This document has not failed, so there is nothing to try again."))
    document.refresh_from_db()
    progress.queue(document)
    return document


def read_again(collection: Collection) -> list[Document]:
    """Read all of a collection's documents in anew, from their files."""
    documents = Document.objects.filter(collection=collection)
    documents.update(
        status=DocumentStatus.QUEUED, error="", lease="", lease_until=None, passages_done=0, updated_at=timezone.now()
    )
    storage.clear_index(collection.pk)  # after the rows: a kill in between leaves documents that are read in
    queued = list(documents.order_by("created_at"))
    for document in queued:
        progress.queue(document)
    return queued
