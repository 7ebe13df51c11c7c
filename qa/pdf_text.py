"""PDF to readable text: lines put together to paragraphs, running heads left out, pages and headings remembered.

A file that has no text (a scan) or asks for a password is refused. Nothing in a PDF is run or fetched: pdfium only
loads it and tells its letters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import pypdfium2
import pypdfium2.raw as pdfium

from qa.file_text import FileText, one_line
from qa.pdf_lines import Line, page_lines
from qa.scripts import CJK, goes_on_without_space
from qa.structure import MAX_HEADING_CHARACTERS, MOST_HEADINGS, Heading, Structure
from qa.unreadable import Unreadable

PARAGRAPH_GAP = 1.3
"""Lines further apart than so many times the usual distance begin a paragraph."""
FEWEST_GAPS = 8
"""From which the usual distance between lines is told; fewer may all be gaps between paragraphs."""
HEADING_HEIGHT = 1.15
"""Letters so much taller than most of the document's make a heading, where the file has no outline."""
OTHER_SIZE = 0.1
"""Lines whose letters differ in height by more than this share, one of them a heading, are no one paragraph."""
RUNNING_SHARE = 0.3
"""A first or last line that so many of the pages have, but for its numbers, is a running head."""

_PASSWORD_NEEDED = 4
"""FPDF_ERR_PASSWORD; and FPDF_ERR_SECURITY, a way of encryption that is not known here."""
_UNKNOWN_SECURITY = 5
_DIGITS = re.compile(r"\d+")
_ENDS_SENTENCE = re.compile(r"[.!?。！？:：;；][\"'”’)\]』」）]*$")
_ENDS_BROKEN = re.compile(r"[^\W\d_]-$")
_STARTS_SMALL = re.compile(rf"[{CJK}]|[^\W\d_A-Z]")
_LETTER = re.compile(r"[^\W\d_]")
_POOR_TITLE = re.compile(r"untitled|unknown|microsoft word|\.(?:docx?|pdf|tex|dvi|indd|pptx?)\b", re.IGNORECASE)


def read_pdf(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged, or without any text.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD_NEEDED, _UNKNOWN_SECURITY):
            raise Unreadable("encrypted", "it is protected by a password. Save a copy without one.") from None
        raise Unreadable("damaged", "it is damaged or no PDF. Open it in a PDF viewer and save it anew.") from None
    try:
        pages = [_lines_of(document, number) for number in range(len(document))]
        if not any(pages):
            raise Unreadable("scanned", "its pages are pictures without text, as a scanner makes them. Run text "
                                        "recognition (OCR) over it first.")
        outline = _outline(document)
        title = _title(document)
    finally:
        document.close()
    writer = _Writer(_without_running_heads(pages))
    headings = _located(writer.text, writer.pages, outline) if outline else writer.headings[:MOST_HEADINGS]
    name = title or (headings[0].title if headings else "")
    return FileText(name, writer.text, Structure(tuple(writer.pages), tuple(headings)))


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


def _without_running_heads(pages: list[list[Line]]) -> list[list[Line]]:
    """The pages without page numbers, and without what stands at the head or foot of many of them."""
    seen: Counter[str] = Counter()
    for lines in pages:
        seen.update({_pattern(lines[place]) for place in _edges(lines)})
    least = max(3, RUNNING_SHARE * len(pages))
    kept = []
    for lines in pages:
        dropped = {place for place in _edges(lines) if seen[_pattern(lines[place])] >= least}
        kept.append([line for place, line in enumerate(lines) if place not in dropped])
    return kept if any(kept) else pages


def _edges(lines: Sequence[Line]) -> set[int]:
    """The places of the lines that may be running heads: the highest and the lowest, if they stand apart.

    A line of the text itself may well begin many pages alike: in tables, or in forms.
    """
    if len(lines) < 2:
        return set(range(len(lines)))
    downwards = sorted(range(len(lines)), key=lambda place: -lines[place].bottom)
    distance = _usual_distance([lines[place] for place in downwards]) or 1.3 * lines[0].height
    found = set()
    for edge, beside in ((downwards[0], downwards[1]), (downwards[-1], downwards[-2])):
        line, other = lines[edge], lines[beside]
        is_apart = abs(line.bottom - other.bottom) > PARAGRAPH_GAP * distance
        is_other_size = abs(line.height - other.height) > OTHER_SIZE * other.height
        if is_apart or is_other_size or not _LETTER.search(line.text):
            found.add(edge)
    return found


def _pattern(line: Line) -> str:
    return _DIGITS.sub("#", line.text)


class _Writer:
    """Puts the lines of all pages together: `text`, where each of the `pages` begins in it, and its `headings`."""

    def __init__(self, lines_of_pages: Sequence[Sequence[Line]]) -> None:
        self.pages: list[int] = []
        self.headings: list[Heading] = []
        self._parts: list[str] = []
        self._length = 0
        self._body = _body_height(lines_of_pages)
        tall = {round(line.height) for lines in lines_of_pages for line in lines if self._is_tall(line)}
        self._levels = {height: min(level, 6) for level, height in enumerate(sorted(tall, reverse=True), start=1)}
        usual = _usual_distance([line for lines in lines_of_pages for line in lines]) or 1.3 * self._body
        before: Line | None = None
        for lines in lines_of_pages:
            distance = _usual_distance(lines) or usual
            edges = _right_edges(lines, distance)
            self.pages.append(self._length)
            for place, line in enumerate(lines):
                edge = edges[place - 1] if place else None
                border = "" if before is None else self._border(before, line, edge, distance)
                self._write(before, line, border)
                if not place:
                    self.pages[-1] = self._length - len(line.text)
                before = line
        self.text = "".join(self._parts)

    def _write(self, before: Line | None, line: Line, border: str) -> None:
        if before is not None and not border and _is_broken(before):  # the hyphen goes
            self._parts[-1] = self._parts[-1][:-1]
            self._length -= 1
        begins = self._length + len(border)
        if self._is_tall(line):
            if before is not None and self._is_tall(before) and border in ("", " ") and self.headings:
                last = self.headings[-1]
                title = (last.title + border + line.text)[:MAX_HEADING_CHARACTERS]
                self.headings[-1] = Heading(last.start, last.level, title)
            elif _LETTER.search(line.text) and not line.is_row:
                self.headings.append(Heading(begins, self._levels[round(line.height)], line.text))
        self._parts += [border, line.text]
        self._length = begins + len(line.text)

    def _is_tall(self, line: Line) -> bool:
        return line.height > HEADING_HEIGHT * self._body and len(line.text) <= MAX_HEADING_CHARACTERS

    def _border(self, before: Line, line: Line, edge: float | None, distance: float) -> str:
        """What stands between two lines: nothing or a space when the second goes on, else a newline or an empty line.

        `edge` is how far lines reach where `before` stands; None when the two are on different pages.
        """
        if edge is None:
            goes_on = not _ENDS_SENTENCE.search(before.text) and _STARTS_SMALL.match(line.text) and not before.is_row
            return _joint(before, line) if goes_on else "\n\n"
        gap = before.bottom - line.bottom
        is_other_size = abs(before.height - line.height) > OTHER_SIZE * before.height
        if gap > PARAGRAPH_GAP * distance or (is_other_size and (self._is_tall(before) or self._is_tall(line))):
            return "\n\n"
        ends = _ENDS_SENTENCE.search(before.text) is not None
        if gap < 0:  # the next column
            return "\n\n" if ends or before.is_row else _joint(before, line)
        if before.is_row or line.is_row:
            return "\n"
        if ends and line.left - before.left > 0.7 * line.height:  # the first line of a paragraph, indented
            return "\n\n"
        was_wrapped = before.right + line.first_word > edge
        return _joint(before, line) if was_wrapped or _is_broken(before) else "\n"


def _joint(before: Line, line: Line) -> str:
    if _is_broken(before) or goes_on_without_space(before.text, line.text):
        return ""
    return " "


def _body_height(pages: Sequence[Sequence[Line]]) -> float:
    """Of most letters of the document."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[round(line.height, 1)] += len(line.text)
    return letters.most_common(1)[0][0]


def _is_broken(line: Line) -> bool:
    """Whether it ends within a word; pdfium has put most such words together already."""
    return _ENDS_BROKEN.search(line.text) is not None


def _usual_distance(lines: Sequence[Line]) -> float:
    """From one line to the next below it; 0 where too few lines follow each other to say."""
    gaps = [one.bottom - following.bottom for one, following in zip(lines, lines[1:], strict=False)]
    downwards = [gap for gap, line in zip(gaps, lines, strict=False) if gap > 0.3 * line.height]
    return median(downwards) if len(downwards) >= FEWEST_GAPS else 0.0


def _right_edges(lines: Sequence[Line], distance: float) -> list[float]:
    """For each line, how far to the right the lines of its column reach."""
    edges: list[float] = []
    start = 0
    for place in range(1, len(lines) + 1):
        gap = lines[place - 1].bottom - lines[place].bottom if place < len(lines) else -1.0
        if gap < 0 or gap > 6 * distance:
            edge = max((line.right for line in lines[start:place] if not line.is_row), default=0.0)
            edges += [edge] * (place - start)
            start = place
    return edges
