"""PDF to readable text, page by page: from the letters that it holds, or recognised where a page is a picture.

A file that asks for a password is refused. Nothing in a PDF is run or fetched: pdfium only loads it, tells its
letters and draws its pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pypdfium2
import pypdfium2.raw as pdfium

from qa.file_text import FileText, one_line
from qa.page_writer import PageWriter, without_running_heads
from qa.pdf_lines import Line, page_lines
from qa.pdf_pictures import characters, drawn, picture_pages
from qa.recognised_lines import in_one_size, lines_of
from qa.recognition import Recogniser
from qa.structure import MAX_HEADING_CHARACTERS, MOST_HEADINGS, Heading, Structure
from qa.unreadable import Unreadable, nothing_seen

_PASSWORD_NEEDED = 4
"""FPDF_ERR_PASSWORD; and FPDF_ERR_SECURITY, a way of encryption that is not known here."""
_UNKNOWN_SECURITY = 5
_POOR_TITLE = re.compile(r"untitled|unknown|microsoft word|\.(?:docx?|pdf|tex|dvi|indd|pptx?)\b", re.IGNORECASE)


def read_pdf(data: bytes, recogniser: Recogniser | None = None) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged; pictures of pages alone, and no text in them or nothing that recognises it.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD_NEEDED, _UNKNOWN_SECURITY):
            raise Unreadable("encrypted", "it is protected by a password. Save a copy without one.") from None
        raise Unreadable("damaged", "it is damaged or no PDF. Open it in a PDF viewer and save it anew.") from None
    try:
        pages = [_lines_of(document, number) for number in range(len(document))]
        pictures = picture_pages(document, pages)
        tried = recogniser.taken(pictures) if recogniser else []
        recognised = [number for number in tried if _recognise(document, number, pages, recogniser)]
        if not any(pages):
            if pictures:
                raise nothing_seen(was_tried=bool(tried))
            return FileText("", "")
        outline = _outline(document)
        title = _title(document)
    finally:
        document.close()
    writer = PageWriter(without_running_heads(in_one_size(pages, recognised)))
    headings = _located(writer.text, writer.pages, outline) if outline else writer.headings[:MOST_HEADINGS]
    name = title or (headings[0].title if headings else "")
    unread = [number for number in pictures if number not in tried and not pages[number]]
    return FileText(name, writer.text, Structure(
        tuple(writer.pages), tuple(headings), recognised=tuple(number + 1 for number in recognised),
        unread=tuple(number + 1 for number in unread)))


def _recognise(
    document: pypdfium2.PdfDocument, number: int, pages: list[list[Line]], recogniser: Recogniser
) -> bool:
    """Put what the picture of a page says in the place of the page's lines; whether it says more than they do."""
    recogniser.begin_page()
    try:
        image, points = drawn(document, number)
    except pypdfium2.PdfiumError:
        return False
    lines = lines_of(recogniser.read(image), points)
    if characters(lines) <= characters(pages[number]):
        return False
    pages[number] = lines
    return True


def _lines_of(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    """A page that cannot be loaded has no lines, so that the others can be read."""
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        return []
    try:
        text_page = pdfium.FPDFText_LoadPage(page)
        if not text_page:
            return []
        try:
            cleaned = (replace(line, text=one_line(line.text)) for line in page_lines(text_page))
            return [line for line in cleaned if line.text]
        finally:
            pdfium.FPDFText_ClosePage(text_page)
    finally:
        pdfium.FPDF_ClosePage(page)


def _label(read: Callable[[], str]) -> str:
    """What the file calls itself or a part of itself; nothing where that is no text."""
    try:
        return one_line(read())
    except UnicodeDecodeError:
        return ""


def _title(document: pypdfium2.PdfDocument) -> str:
    title = _label(lambda: document.get_metadata_value("Title"))
    return "" if _POOR_TITLE.search(title) else title


def _outline(document: pypdfium2.PdfDocument) -> list[tuple[int, int, str]]:
    """(page from 0, level from 1, title) of the file's own table of contents."""
    found = []
    for bookmark in document.get_toc(max_depth=4):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        title = _label(bookmark.get_title)[:MAX_HEADING_CHARACTERS]
        if page is not None and title:
            found.append((page, bookmark.level + 1, title))
        if len(found) == MOST_HEADINGS:
            break
    return found


def _located(text: str, pages: Sequence[int], outline: Sequence[tuple[int, int, str]]) -> list[Heading]:
    """Where on its page each heading stands; where the page begins when its words are not found there."""
    found = []
    for page, level, title in outline:
        start = pages[min(page, len(pages) - 1)]
        end = pages[page + 1] if page + 1 < len(pages) else len(text)
        words = r"\s+".join(re.escape(word) for word in title.split())
        place = re.search(rf"(?m)^{words}", text[start:end], re.IGNORECASE) or re.search(words, text[start:end])
        found.append(Heading(start + place.start() if place else start, level, title))
    return sorted(found, key=lambda heading: heading.start)
