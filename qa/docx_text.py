"""DOCX to readable text: paragraphs with a blank line between them, headings, lists and tables a row a line.

A DOCX is a ZIP of XML. What it would unpack to is looked at before anything is unpacked, entities are never resolved,
and nothing that it refers to is fetched. What was deleted under tracked changes, comments and headers is left out.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import docx
from docx.document import Document
from docx.oxml.ns import qn
from lxml import etree

from qa.file_text import FileText, normalise, one_line
from qa.packed import check_office
from qa.table_rows import write_rows
from qa.text_writer import TextWriter
from qa.unreadable import damaged_otherwise

_DROPPED = frozenset(qn(tag) for tag in ("w:del", "w:moveFrom", "w:instrText", "w:delText", "w:pPr", "w:rPr")) | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
_BREAKS = frozenset((qn("w:br"), qn("w:cr")))
_TEXT, _TAB, _HYPHEN = qn("w:t"), qn("w:tab"), qn("w:noBreakHyphen")
_PARAGRAPH, _TABLE = qn("w:p"), qn("w:tbl")
_TRANSPARENT = frozenset(qn(tag) for tag in ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag"))


def read_docx(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged, or made to unpack to more than a document may have.
    """
    check_office(data, "DOCX", ".doc")
    with damaged_otherwise("DOCX"):
        return _Writer(docx.Document(io.BytesIO(data))).result()


class _Writer:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._out = TextWriter()
        self._styles = _style_names(document)
        self._bullets = _bullet_lists(document)
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._last_was_item = False
        self._blocks(document.element.body)

    def result(self) -> FileText:
        title = one_line(self._document.core_properties.title or "") if self._has_properties() else ""
        headings = self._out.headings
        return self._out.result(title or (headings[0].title if headings else ""))

    def _has_properties(self) -> bool:
        with suppress(Exception):  # a broken date in them must not keep the text from being read
            return bool(self._document.core_properties.title)
        return False

    def _blocks(self, parent: etree._Element) -> None:
        for child in parent:
            if child.tag == _PARAGRAPH:
                self._paragraph(child)
            elif child.tag == _TABLE:
                self._table(child)
            elif child.tag in _TRANSPARENT:
                self._blocks(child)

    def _paragraph(self, element: etree._Element) -> None:
        text = _clean_lines(_text_of(element))
        if not text:
            return
        level = self._heading_level(element)
        item = None if level else self._item_mark(element)
        if level:
            self._out.heading(one_line(text), level)
        else:
            between = "\n" if item is not None and self._last_was_item else "\n\n"
            self._out.add(f"{item or ''}{text}", between)
        self._last_was_item = item is not None

    def _table(self, table: etree._Element) -> None:
        """A row a line; a table within a cell becomes a part of the cell's line."""
        own = [row for row in table.iter(qn("w:tr")) if next(row.iterancestors(_TABLE)) is table]
        rows = [[_text_of(cell) for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(_TABLE)) is table]
                for row in own]
        has_names = any(row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in own[:1])
        write_rows(self._out, [(0, cells) for cells in rows], may_be_a_form=not has_names)
        self._last_was_item = False

    def _heading_level(self, paragraph: etree._Element) -> int:
        """1 to 9; 0 for what is no heading."""
        outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        if outline is not None and (outline.get(qn("w:val")) or "").isdigit():
            return min(int(outline.get(qn("w:val"))) + 1, 9) if int(outline.get(qn("w:val"))) < 9 else 0
        return self._styles.get(_style_of(paragraph), 0)

    def _item_mark(self, paragraph: etree._Element) -> str | None:
        """What stands before a list's item: "- ", or its number; None for what is no item."""
        numbering = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        style = _style_of(paragraph).lower()
        if numbering is None and not style.startswith("list"):
            return None
        level, kind = (_value(numbering, tag) if numbering is not None else "0" for tag in ("w:ilvl", "w:numId"))
        depth = min(int(level), 8) if level.isdigit() else 0
        indent = "  " * depth
        is_bullet = (kind, depth) in self._bullets if numbering is not None else "number" not in style
        if is_bullet:
            return f"{indent}- "
        self._numbers[kind, depth] += 1
        for deeper in range(depth + 1, 9):
            self._numbers[kind, deeper] = 0
        return f"{indent}{self._numbers[kind, depth]}. "


def _text_of(element: etree._Element) -> str:
    """All that is written in a paragraph or a cell, in order; iterative, for a hostile file nests deep."""
    found: list[str] = []
    stack: list[Iterator[etree._Element]] = [iter(element)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
            continue
        tag = child.tag
        if not isinstance(tag, str) or tag in _DROPPED:
            continue
        if tag == _TEXT:
            found.append(child.text or "")
        elif tag == _TAB:
            found.append("\t")
        elif tag in _BREAKS:
            found.append("\n")
        elif tag == _HYPHEN:
            found.append("-")
        else:
            if tag == _PARAGRAPH and found:
                found.append("\n")
            stack.append(iter(child))
    return "".join(found)


def _clean_lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in normalise(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _style_of(paragraph: etree._Element) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return (style.get(qn("w:val")) or "") if style is not None else ""


def _value(parent: etree._Element, tag: str) -> str:
    child = parent.find(qn(tag))
    return (child.get(qn("w:val")) or "0") if child is not None else "0"


def _style_names(document: Document) -> dict[str, int]:
    """The styles of headings by id, with their level: by their outline level, or by the name that Word gives them."""
    found = {}
    for style in document.styles.element.iter(qn("w:style")):
        name = _value(style, "w:name").lower()
        outline = style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        level = outline.get(qn("w:val")) if outline is not None else None
        if name == "title":
            found[style.get(qn("w:styleId")) or ""] = 1
        elif name.startswith("heading ") and name[8:].isdigit():
            found[style.get(qn("w:styleId")) or ""] = min(int(name[8:]), 9)
        elif level is not None and level.isdigit() and int(level) < 9:
            found[style.get(qn("w:styleId")) or ""] = int(level) + 1
    return found


def _bullet_lists(document: Document) -> set[tuple[str, int]]:
    """(list's id, level) of the lists that have bullets; the others are numbered."""
    try:
        numbering = document.part.numbering_part.element
    except (KeyError, NotImplementedError):
        return set()
    kinds: dict[str, set[int]] = {}
    for abstract in numbering.iter(qn("w:abstractNum")):
        kinds[abstract.get(qn("w:abstractNumId")) or ""] = {
            int(level.get(qn("w:ilvl")) or 0) for level in abstract.iter(qn("w:lvl"))
            if (level.get(qn("w:ilvl")) or "0").isdigit() and _value(level, "w:numFmt") == "bullet"
        }
    return {(number.get(qn("w:numId")) or "", level) for number in numbering.iter(qn("w:num"))
            for level in kinds.get(_value(number, "w:abstractNumId"), ())}
