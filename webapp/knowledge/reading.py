"""A document as a person reads it: the part of its text around a passage, cut into pieces by what is highlighted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from qa.structure import PageKind
from webapp import access
from webapp.accounts.models import User
from webapp.knowledge import storage, texts
from webapp.knowledge.models import Document, DocumentStatus
from webapp.knowledge.starter_collections import COLLECTIONS

AROUND = 6_000
"""Characters shown before and after the passage; the page brings more as it is scrolled."""
LONGEST_PASSAGE = 50_000
PDF = "application/pdf"
PICTURES = ("image/png", "image/jpeg", "image/webp")
"""That a browser shows; what a TIFF holds it does not."""


@dataclass(frozen=True)
class Place:
    """The range of a document that an address names, and the words within it; all equal when none are."""

    start: int
    end: int
    span_start: int
    span_end: int


@dataclass(frozen=True)
class Window:
    """Characters `start` to `end` of a document. The five parts follow each other; empty where nothing is marked.

    `pages` counts those of the whole document; `page`, `section` and `row` are where the marked passage begins.
    """

    start: int
    end: int
    is_whole: bool
    before: str
    quote_before: str
    span: str
    quote_after: str
    after: str
    pages: int
    page: int | None
    page_kind: PageKind
    section: str
    row: int | None

    @property
    def has_passage(self) -> bool:
        return bool(self.quote_before or self.span or self.quote_after)


def has_pdf_view(document: Document) -> bool:
    """Whether its original can be shown page by page."""
    return document.media_type == PDF


def has_picture_view(document: Document) -> bool:
    """Whether its original is a picture that can be shown."""
    return document.media_type in PICTURES


def place(query: Mapping[str, str]) -> Place:
    """What an address's query names. What is no number or out of order marks nothing: a link is never an error."""
    names = ("start", "end", "span_start", "span_end")
    start, end, span_start, span_end = (_number(query.get(name)) for name in names)
    end = min(max(start, end), start + LONGEST_PASSAGE)
    if not start <= span_start <= span_end <= end:
        span_start = span_end = start
    return Place(start, end, span_start, span_end)


def window(document: Document, passage: Place) -> Window:
    """The text around `passage`.

    Raises:
        Conflict: the document has no text (yet).
    """
    structure = storage.documents().structure(str(document.pk))
    piece = texts.piece(document, max(0, passage.start - AROUND), passage.end + AROUND)

    def cut(start: int, end: int) -> str:
        return piece.text[max(0, start - piece.start) : max(0, end - piece.start)]

    return Window(
        start=piece.start, end=piece.end, is_whole=piece.start == 0 and piece.end >= document.characters,
        before=cut(piece.start, passage.start),
        quote_before=cut(passage.start, passage.span_start),
        span=cut(passage.span_start, passage.span_end),
        quote_after=cut(passage.span_end, passage.end),
        after=cut(passage.end, piece.end),
        pages=len(structure.pages), page=structure.page_at(passage.start),
        page_kind=structure.page_kind, section=structure.section_at(passage.start),
        row=structure.row_at(passage.start),
    )


def help_documents(user: User | AnonymousUser, language: str) -> list[Document]:
    """The pages of the collections that came with the site; those in `language` first."""
    found = access.readable_documents(user).filter(collection__owner=None, status=DocumentStatus.READY)
    own = COLLECTIONS.get(language, ("",))[0]
    pages = found.select_related("collection").order_by("collection__name", "name")
    return sorted(pages, key=lambda page: page.collection.name != own)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0
