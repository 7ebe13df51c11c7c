"""EPUB to readable text: the chapters in the order in which the book is read, with their headings.

An EPUB is a ZIP of web pages with a list of them in order (the spine). Nothing that they refer to is fetched.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from urllib.parse import unquote, urlsplit

from lxml import etree

from qa.file_text import FileText, one_line
from qa.html_text import read_html
from qa.packed import check_packed
from qa.structure import Heading
from qa.text_writer import TextWriter
from qa.unreadable import damaged_otherwise

_KIND = "EPUB"
_CONTAINER = "META-INF/container.xml"
_PAGES = ("application/xhtml+xml", "text/html")


def read_epub(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged, or made to unpack to more than a document may have.
        NotText: one of its pages is no text.
    """
    check_packed(data, _KIND)
    with damaged_otherwise(_KIND), zipfile.ZipFile(io.BytesIO(data)) as archive:
        title, chapters = _contents(archive)
        out = TextWriter()
        for chapter in chapters:
            _write(archive.read(chapter), out)
    return out.result(title or (out.headings[0].title if out.headings else ""))


def _contents(archive: zipfile.ZipFile) -> tuple[str, list[str]]:
    """The book's title and the names of its chapters' files, in order."""
    container = _xml(archive.read(_CONTAINER))
    package_name = _first(container, "rootfile").get("full-path") or ""
    package = _xml(archive.read(package_name))
    title = next(package.iter("{*}title"), None)
    pages = {item.get("id"): item.get("href") or "" for item in package.iter("{*}item")
             if item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()}
    folder = posixpath.dirname(package_name)
    hrefs = (pages.get(each.get("idref")) for each in package.iter("{*}itemref"))
    names = [posixpath.normpath(posixpath.join(folder, unquote(urlsplit(href).path))) for href in hrefs if href]
    held = set(archive.namelist())
    return one_line("".join(title.itertext())) if title is not None else "", [name for name in names if name in held]


def _write(page: bytes, out: TextWriter) -> None:
    read = read_html(page)
    if read.text:
        begins = out.add(read.text)
        out.headings += [Heading(begins + each.start, each.level, each.title) for each in read.structure.headings]


def _first(tree: etree._Element, tag: str) -> etree._Element:
    found = next(tree.iter(f"{{*}}{tag}"), None)
    if found is None:
        raise KeyError(tag)
    return found


def _xml(data: bytes) -> etree._Element:
    """Entities are not resolved, so that none can read a file or grow without end."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
