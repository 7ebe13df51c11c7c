"""PPTX to readable text: slide after slide, its title as a heading, its texts, tables and the speaker's notes."""

from __future__ import annotations

import io
from collections.abc import Iterator

from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.slide import Slide

from qa.file_text import FileText, one_line
from qa.packed import check_office
from qa.table_rows import write_rows
from qa.text_writer import TextWriter
from qa.unreadable import damaged_otherwise

NOTES = "Notes:"
"""Stands before what the speaker's notes of a slide say."""

_KIND = "PPTX"
_PARAGRAPH, _TEXT, _TABLE, _ROW, _CELL = (qn(f"a:{tag}") for tag in ("p", "t", "tbl", "tr", "tc"))
_BREAK, _TABLE_PROPERTIES = qn("a:br"), qn("a:tblPr")
_PLACEHOLDER = qn("p:ph")
_NOT_CONTENT = frozenset(("dt", "ftr", "sldNum", "sldImg", "hdr"))
"""Placeholders of the date, the running foot and the slide's number."""


def read_pptx(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged, or made to unpack to more than a document may have.
    """
    check_office(data, _KIND, ".ppt")
    with damaged_otherwise(_KIND):
        presentation = Presentation(io.BytesIO(data))
        out = TextWriter()
        for slide in presentation.slides:
            _write(slide, out)
        title = one_line(presentation.core_properties.title or "")
    if title == "PowerPoint Presentation" or not title:
        title = out.headings[0].title if out.headings else ""
    return out.result(title, "slide")


def _write(slide: Slide, out: TextWriter) -> None:
    out.page()
    title_shape = slide.shapes.title
    title = one_line(title_shape.text_frame.text) if title_shape is not None else ""
    if title:
        out.heading(title, 1)
    for shape in slide.shapes:
        if title_shape is None or shape.shape_id != title_shape.shape_id:
            _write_shape(shape._element, out)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = "\n".join(_paragraphs(slide.notes_slide.notes_text_frame._txBody))
        if notes:
            out.add(f"{NOTES} {notes}")


def _write_shape(element: etree._Element, out: TextWriter) -> None:
    """A text with its paragraphs as lines, each table within it a row a line; whatever is grouped too."""
    placeholder = next(element.iter(_PLACEHOLDER), None)
    if placeholder is not None and placeholder.get("type") in _NOT_CONTENT:
        return
    for table in element.iter(_TABLE):
        rows = [[" ".join(_paragraphs(cell)) for cell in row.iter(_CELL)] for row in table.iter(_ROW)]
        properties = table.find(_TABLE_PROPERTIES)
        has_names = properties is not None and properties.get("firstRow") == "1"
        write_rows(out, [(0, cells) for cells in rows], may_be_a_form=not has_names)
    lines = "\n".join(_paragraphs(element))
    if lines:
        out.add(lines)


def _paragraphs(element: etree._Element) -> Iterator[str]:
    """Those that are in no table below `element`."""
    for paragraph in element.iter(_PARAGRAPH):
        around = next((up for up in paragraph.iterancestors() if up is element or up.tag == _TABLE), element)
        if around.tag == _TABLE and around is not element:
            continue
        runs = (child.text or "" if child.tag == _TEXT else " " for child in paragraph.iter(_TEXT, _BREAK))
        if line := one_line("".join(runs)):
            yield line
