"""Uploaded bytes to normalised text with a title and its structure. A type of document is one row of `FORMATS`.

The text returned here is what is stored; every offset in passages and citations counts its characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Literal

from qa.encodings import NotText
from qa.file_text import FileText
from qa.recognition import Recogniser
from qa.structure import NOTHING_KNOWN, Structure
from qa.unreadable import Unreadable, UnreadableCode

MAX_DOCUMENT_BYTES = 200 * 1000 * 1000
"""A site lets in at most this, whatever its setting: more takes longer to read than a file may (qa/reading.py)."""
MAX_TITLE_CHARACTERS = 200
_LETTER = re.compile(r"[^\W\d_]")
_MAIL_SUBJECT = re.compile(r"(?:[A-Z][\w-]{1,20}:[^\n]*\n){0,12}?(?:Subject|Betreff|Objet):[ \t]*(\S[^\n]*)\n|"
                           r"(?:[^\n:：]{2,6}[:：][^\n]*\n){0,12}?主题[:：][ \t]*(\S[^\n]*)\n")
"""Of a mail that was copied as text."""
_WORD = re.compile(r"\w")

DocumentErrorCode = Literal["empty", "binary", "too_large", "unsupported"] | UnreadableCode


class DocumentError(ValueError):
    """A file that cannot become a document; `message` tells a person why and what to do."""

    def __init__(self, code: DocumentErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: DocumentErrorCode = code
        self.message = message


@dataclass(frozen=True)
class Format:
    """A type of file: the endings that tell it, and the function, as "module:name", that reads its bytes.

    The function's module, with the libraries that it needs, is loaded by the first file of the type. Where files may
    hold pictures of pages, it also takes what recognises their text.
    """

    endings: tuple[str, ...]
    media_type: str
    function: str
    may_be_pictures: bool = False

    def read(self, data: bytes, recogniser: Recogniser | None = None) -> FileText:
        module, name = self.function.split(":")
        reader: Callable[..., FileText] = getattr(import_module(f"qa.{module}"), name)
        return reader(data, recogniser) if self.may_be_pictures else reader(data)


_OPEN_XML = "application/vnd.openxmlformats-officedocument"
FORMATS = (
    Format((".pdf",), "application/pdf", "pdf_text:read_pdf", may_be_pictures=True),
    Format((".docx",), f"{_OPEN_XML}.wordprocessingml.document", "docx_text:read_docx"),
    Format((".pptx",), f"{_OPEN_XML}.presentationml.presentation", "pptx_text:read_pptx"),
    Format((".xlsx",), f"{_OPEN_XML}.spreadsheetml.sheet", "spreadsheet_text:read_spreadsheet"),
    Format((".xls",), "application/vnd.ms-excel", "spreadsheet_text:read_spreadsheet"),
    Format((".ods",), "application/vnd.oasis.opendocument.spreadsheet", "spreadsheet_text:read_spreadsheet"),
    Format((".csv",), "text/csv", "csv_text:read_csv"),
    Format((".tsv",), "text/tab-separated-values", "csv_text:read_csv"),
    Format((".html", ".htm"), "text/html", "html_text:read_html"),
    Format((".md", ".markdown"), "text/markdown", "plain_text:read_markdown"),
    Format((".txt", ".text", ".log"), "text/plain", "plain_text:read_text"),
    Format((".epub",), "application/epub+zip", "epub_text:read_epub"),
    Format((".eml",), "message/rfc822", "mail_text:read_mail"),
    Format((".rtf",), "application/rtf", "rtf_text:read_rtf"),
    Format((".png",), "image/png", "picture_text:read_picture", may_be_pictures=True),
    Format((".jpg", ".jpeg"), "image/jpeg", "picture_text:read_picture", may_be_pictures=True),
    Format((".webp",), "image/webp", "picture_text:read_picture", may_be_pictures=True),
    Format((".tiff", ".tif"), "image/tiff", "picture_text:read_picture", may_be_pictures=True),
)
FORMAT_BY_ENDING = {ending: each for each in FORMATS for ending in each.endings}
ENDINGS = tuple(FORMAT_BY_ENDING)
FORMAT_NAMES = tuple(each.endings[0].removeprefix(".").upper() for each in FORMATS)
"""As a person knows them, in any language."""


@dataclass(frozen=True)
class ParsedDocument:
    """`text` has "\\n" for newlines and no control characters but tab; there is a word in it."""

    title: str
    text: str
    media_type: str
    structure: Structure = NOTHING_KNOWN


def parse(data: bytes, name: str, recogniser: Recogniser | None = None) -> ParsedDocument:
    """Read an uploaded file; its type is told by the ending of `name`. Without `recogniser` no picture is read.

    Raises:
        DocumentError: too large, of a type that is not read here, binary, encrypted, damaged, or without text.
    """
    check_size(len(data), name)
    form = format_of(name)
    if not data.strip():
        raise DocumentError("empty", f"{name} is empty.")
    try:
        read = form.read(data, recogniser)
    except NotText as error:
        raise DocumentError("binary", f"{name} cannot be read as text: {error}.") from error
    except Unreadable as error:
        raise DocumentError(error.code, f"{name} cannot be read: {error.reason}") from error
    if not _WORD.search(read.text):
        raise DocumentError("empty", f"{name} holds no text.")
    title = read.title[:MAX_TITLE_CHARACTERS].strip() or _first_line(read) or PurePath(name).stem or name
    return ParsedDocument(title, read.text, form.media_type, read.structure)


def format_of(name: str) -> Format:
    """What a file of this name is.

    Raises:
        DocumentError: its type is not read here.
    """
    ending = PurePath(name).suffix.lower()
    found = FORMAT_BY_ENDING.get(ending)
    if found is None:
        raise DocumentError(
            "unsupported",
            f"{name}: files of type {ending or '(none)'} cannot be read. Supported: {', '.join(ENDINGS)}.",
        )
    return found


def check_size(size: int, name: str) -> None:
    """Refuse a file by its size in bytes, before it is read.

    Raises:
        DocumentError: larger than MAX_DOCUMENT_BYTES.
    """
    if size > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            "too_large",
            f"{name} has {size / 1e6:.0f} MB; the limit is {MAX_DOCUMENT_BYTES // 1_000_000} MB. "
            "Split it, or remove pictures and other embedded data.",
        )


def _first_line(read: FileText) -> str:
    """What may stand for the title of a text that has none; the rows of a table do not."""
    if read.structure.rows:
        return ""
    mail = _MAIL_SUBJECT.match(read.text[:4096])
    lines = (line.strip().lstrip("#*>=- ") for line in read.text.split("\n"))
    line = (mail.group(1) or mail.group(2)) if mail else next((line for line in lines if _LETTER.search(line)), "")
    if len(line) <= 100:
        return line
    return re.split(r"(?<=[.!?])\s|(?<=[。！？])", line[:101])[0][:100].rstrip() + "…"
