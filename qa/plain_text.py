"""Plain text and Markdown files: their text in any encoding, a title, Markdown's headings."""

from __future__ import annotations

import re

from qa.encodings import decode
from qa.file_text import FileText, normalise
from qa.structure import markdown_structure

_FRONT_MATTER_CHARACTERS = 4096
_LONGEST_HEADING = 400
_FRONT_MATTER_TITLE = re.compile(r"---\n(?:(?!---).*\n){0,50}?title:[ \t]*(.+)\n(?:.*\n){0,50}?---(?:\n|$)")
_HEADING = re.compile(r"(?m)^ {0,3}#{1,6}[ \t]+(\S.*)$")
_UNDERLINED = re.compile(r"(?m)^(\S.*)\n(?:=+|-{3,})[ \t]*$")


def read_text(data: bytes) -> FileText:
    """Raises NotText."""
    return FileText("", normalise(decode(data)))


def read_markdown(data: bytes) -> FileText:
    """Kept as source: answers quote it exactly and are rendered as Markdown where they are shown. Raises NotText."""
    text = normalise(decode(data))
    front_matter = _FRONT_MATTER_TITLE.match(text[:_FRONT_MATTER_CHARACTERS])
    found = front_matter or _HEADING.search(text) or _UNDERLINED.search(text)
    title = _inline(found.group(1)[:_LONGEST_HEADING]) if found else ""
    return FileText(title, text, markdown_structure(text))


def _inline(markdown: str) -> str:
    """A heading without its marks: emphasis, code, the address of a link."""
    without_links = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"[*`\"]+|(?<!\w)_|_(?!\w)|\s#+$", "", without_links).strip()
