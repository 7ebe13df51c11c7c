"""Pieces of a document's stored text, for pages and programs that show where an answer came from."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from qa.document_store import DocumentMissing
from webapp.errors import BadInput, Conflict
from webapp.knowledge import storage
from webapp.knowledge.models import Document


@dataclass(frozen=True)
class Piece:
    """`text` is characters `start` to `end` of the document's text."""

    start: int
    end: int
    text: str


def piece(document: Document, start: int = 0, end: int | None = None) -> Piece:
    """Characters `start` to `end`, cut to what there is; to the end of the text when `end` is None.

    Raises:
        BadInput: `end` lies before `start`.
        Conflict: the document has no text (yet).
    """
    try:
        text = storage.documents().text(str(document.pk))
    except DocumentMissing:
        raise Conflict(_("This document has no text yet: it waits to be read, or could not be read.")) from None
    start = min(max(start, 0), len(text))
    end = len(text) if end is None else min(end, len(text))
    if end < start:
        raise BadInput(_("end lies before start."), "end")
    return Piece(start, end, text[start:end])
