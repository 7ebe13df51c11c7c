"""Check citations against the stored documents before anyone sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models_service.protocol import Citation
from qa.document_store import DocumentMissing
from qa.structure import Structure


class StoredTexts(Protocol):
    """Where citations are read back from; `slice` raises DocumentMissing for a document that is gone.

    `added` is when the document came, in seconds; 0 where that is not known.
    """

    def slice(self, document_id: str, start: int, end: int) -> str: ...

    def structure(self, document_id: str) -> Structure: ...

    def added(self, document_id: str) -> float: ...


def checked(citations: Sequence[Citation], documents: StoredTexts) -> list[Citation]:
    """Those whose quote is, to the character, what the document holds at its range; with their place in it."""
    return [placed(citation, documents) for citation in citations if _holds(citation, documents)]


def placed(citation: Citation, documents: StoredTexts) -> Citation:
    """The citation with the page, the section and the row that it begins in, and whether its text was recognised."""
    structure = documents.structure(citation.document)
    return citation.model_copy(update={
        "page": structure.page_at(citation.start), "page_kind": structure.page_kind,
        "section": structure.section_at(citation.start), "row": structure.row_at(citation.start),
        "recognised": structure.is_recognised(citation.start, citation.end),
    })


def _holds(citation: Citation, documents: StoredTexts) -> bool:
    span_inside = citation.start <= citation.span_start <= citation.span_end <= citation.end
    try:
        return span_inside and documents.slice(citation.document, citation.start, citation.end) == citation.quote
    except DocumentMissing:
        return False
