"""Puts a document's text together piece by piece, and remembers where its pages, headings and table rows begin."""

from __future__ import annotations

from qa.file_text import FileText
from qa.structure import MAX_HEADING_CHARACTERS, MOST_HEADINGS, Heading, PageKind, Row, Structure


class TextWriter:
    """What is given to it is normalised already, and not empty."""

    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[int] = []
        self._pages_without_text = 0
        self._rows: list[Row] = []

    def add(self, text: str, between: str = "\n\n") -> int:
        """Where it begins; `between` stands before it, unless it is the first."""
        between = between if self._parts else ""
        self._parts += [between, text]
        self._length += len(between) + len(text)
        begins = self._length - len(text)
        self._pages += [begins] * self._pages_without_text
        self._pages_without_text = 0
        return begins

    def heading(self, text: str, level: int) -> None:
        begins = self.add(text)
        if len(self.headings) < MOST_HEADINGS:
            self.headings.append(Heading(begins, level, text[:MAX_HEADING_CHARACTERS]))

    def row(self, text: str, number: int = 0, between: str = "\n") -> None:
        """A line of a table."""
        begins = self.add(text, between)
        self._rows.append(Row(begins, self._length, number))

    def page(self) -> None:
        """What comes next stands on the next page."""
        self._pages_without_text += 1

    def result(self, title: str = "", page_kind: PageKind = "page") -> FileText:
        pages = (*self._pages, *[self._length] * self._pages_without_text)
        structure = Structure(pages, tuple(self.headings), tuple(self._rows), page_kind)
        return FileText(title, "".join(self._parts), structure)
