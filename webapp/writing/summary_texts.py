"""Where the texts that are summarized lie, and reading them: for whoever owns them, and only while they may."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from qa.document_store import DocumentMissing, DocumentStore
from qa.structure import Structure
from webapp import access
from webapp.accounts.models import User
from webapp.errors import NotFound
from webapp.knowledge import storage
from webapp.writing.summary_models import SummarizedText


def store() -> DocumentStore:
    return DocumentStore(settings.DATA_DIR / "summaries")


def keep(identifier: uuid.UUID, text: str, structure: Structure) -> None:
    folder: Path = store().folder(str(identifier))
    folder.mkdir(parents=True, exist_ok=True)
    store().put_text(str(identifier), text, structure)


def forget(identifier: uuid.UUID) -> None:
    store().delete(str(identifier))


def read(source: SummarizedText, user: User) -> tuple[str, Structure]:
    """The text and its structure.

    Raises:
        NotFound: the document that it is the text of is gone, or not `user`'s to read any more.
    """
    documents, identifier = store(), source.pk
    if source.document_id is not None:
        if not access.readable_documents(user).filter(pk=source.document_id).exists():
            raise NotFound(_gone())
        documents, identifier = storage.documents(), source.document_id
    try:
        return documents.text(str(identifier)), documents.structure(str(identifier))
    except DocumentMissing:
        raise NotFound(_gone()) from None


def _gone() -> str:
    return _("The text of this summary is no longer there, or not yours to read any more.")
