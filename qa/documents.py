"""Uploaded bytes to normalised text with a title and its structure. A type of document is one row of `PARSERS`.

The text returned here is what is stored; every offset in passages and citations counts its characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from qa.encodings import NotText, decode
from qa.html_text import declared_encoding, html_headings, html_to_text
from qa.structure import NOTHING_KNOWN, Structure, located, markdown_structure
from qa.unreadable import Unreadable, UnreadableCode

MAX_DOCUMENT_BYTES = 200 * 1000 * 1000
"""A site lets in at most this, whatever its setting: more takes longer to read than a file may (qa/reading.py)."""
MAX_TITLE_CHARACTERS = 200

DocumentErrorCode = Literal["empty", "binary", "too_large", "unsupported"] | UnreadableCode
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class DocumentError(ValueError):
    """A file that cannot become a document; `message` tells a person why and what to do."""

    def __init__(self, code: DocumentErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: DocumentErrorCode = code
        self.message = message


@dataclass(frozen=True)
class ParsedDocument:
    """`text` has "\\n" for newlines and no control characters but tab; there is a word in it."""

    title: str
    text: str
    media_type: str
    structure: Structure = NOTHING_KNOWN


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an uploaded file; its type is told by the ending of `name`.

    Raises:
        DocumentError: too large, of a type that is not read here, binary, encrypted, damaged, or without text.
    """
    check_size(len(data), name)
    parser = parser_for(name)
    if not data.strip():
        raise DocumentError("empty", f"{name} is empty.")
    try:
        parsed = parser(data)
    except NotText as error:
        raise DocumentError("binary", f"{name} cannot be read as text: {error}.") from error
    except Unreadable as error:
        raise DocumentError(error.code, f"{name} cannot be read: {error.reason}") from error
    if not _WORD.search(parsed.text):
        raise DocumentError("empty", f"{name} holds no text.")
    return replace(parsed, title=parsed.title or PurePath(name).stem or name)


def parser_for(name: str) -> Callable[[bytes], ParsedDocument]:
    """What reads a file of this name.

    Raises:
        DocumentError: its type is not read here.
    """
    ending = PurePath(name).suffix.lower()
    parser = PARSERS.get(ending)
    if parser is None:
        raise DocumentError(
            "unsupported",
            f"{name}: files of type {ending or '(none)'} cannot be read. Supported: {', '.join(sorted(PARSERS))}.",
        )
    return parser


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


def normalise(text: str) -> str:
    """One kind of newline, no control characters but tab, no byte order mark inside, no white space at the ends."""
    text = _NEWLINES.sub("\n", text)
    return _UNWANTED.sub("", text).strip()


def _parse_text(data: bytes) -> ParsedDocument:
    text = normalise(decode(data))
    return ParsedDocument(_first_line(text), text, "text/plain")


def _parse_markdown(data: bytes) -> ParsedDocument:
    """Kept as source: answers quote it exactly and are rendered as Markdown where they are shown."""
    text = normalise(decode(data))
    front_matter = _FRONT_MATTER_TITLE.match(text[:_FRONT_MATTER_CHARACTERS])
    found = front_matter or _HEADING.search(text) or _UNDERLINED.search(text)
    title = _inline(found.group(1)[: 2 * MAX_TITLE_CHARACTERS])[:MAX_TITLE_CHARACTERS] if found else ""
    return ParsedDocument(title or _first_line(text), text, "text/markdown", markdown_structure(text))


def _parse_html(data: bytes) -> ParsedDocument:
    html = _decode_html(data)
    title, text = html_to_text(html)
    text, title = normalise(text), normalise(title)
    structure = located(text, ((level, normalise(heading)) for level, heading in html_headings(html)))
    return ParsedDocument(title[:MAX_TITLE_CHARACTERS] or _first_line(text), text, "text/html", structure)


def _parse_pdf(data: bytes) -> ParsedDocument:
    from qa.pdf_text import pdf_to_text  # here: its native library is for the child process that reads, no other

    read = pdf_to_text(data)
    title = read.title[:MAX_TITLE_CHARACTERS] or _first_line(read.text)
    return ParsedDocument(title, read.text, "application/pdf", read.structure)


def _parse_docx(data: bytes) -> ParsedDocument:
    from qa.docx_text import docx_to_text

    read = docx_to_text(data)
    title = read.title[:MAX_TITLE_CHARACTERS] or _first_line(read.text)
    return ParsedDocument(title, read.text, DOCX, read.structure)


def _decode_html(data: bytes) -> str:
    """What is UTF-8 is read as such, whatever the page says of itself; else the page is believed."""
    declared = declared_encoding(data)
    if declared and b"\x00" not in data and not _is_utf8(data):
        with suppress(LookupError, UnicodeError):
            return data.decode(declared)
    return decode(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if len(line) <= 100:
        return line
    return re.split(r"(?<=[.!?])\s|(?<=[。！？])", line[:101])[0][:100].rstrip() + "…"


def _inline(markdown: str) -> str:
    """A heading without its marks: emphasis, code, the address of a link."""
    without_links = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"[*`\"]+|(?<!\w)_|_(?!\w)|\s#+$", "", without_links).strip()


_FRONT_MATTER_CHARACTERS = 4096
_NEWLINES = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_WORD = re.compile(r"\w")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_FRONT_MATTER_TITLE = re.compile(r"---\n(?:(?!---).*\n){0,50}?title:[ \t]*(.+)\n(?:.*\n){0,50}?---(?:\n|$)")
_HEADING = re.compile(r"(?m)^ {0,3}#{1,6}[ \t]+(\S.*)$")
_UNDERLINED = re.compile(r"(?m)^(\S.*)\n(?:=+|-{3,})[ \t]*$")

PARSERS: dict[str, Callable[[bytes], ParsedDocument]] = {
    ".txt": _parse_text,
    ".text": _parse_text,
    ".log": _parse_text,
    ".md": _parse_markdown,
    ".markdown": _parse_markdown,
    ".html": _parse_html,
    ".htm": _parse_html,
    ".pdf": _parse_pdf,
    ".docx": _parse_docx,
}
