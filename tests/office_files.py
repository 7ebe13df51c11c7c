"""Spreadsheets, slides, books and e-mails for tests, made by the libraries that make real ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

import xlsxwriter
from pptx import Presentation
from pptx.util import Inches


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> bytes:
    """A workbook; None leaves a cell empty."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for place, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(place, column, value)
    return out.getvalue()


def pptx(slides: Sequence[Mapping[str, object]]) -> bytes:
    """Slides of `title`, `text`, `notes` and `table` (rows of cells), each of them optional."""
    presentation = Presentation()
    for slide in slides:
        made = presentation.slides.add_slide(presentation.slide_layouts[1])
        made.shapes.title.text = slide.get("title", "")
        made.placeholders[1].text = slide.get("text", "")
        if rows := slide.get("table"):
            frame = made.shapes.add_table(len(rows), len(rows[0]), Inches(1), Inches(3), Inches(6), Inches(2))
            for place, row in enumerate(rows):
                for column, text in enumerate(row):
                    frame.table.cell(place, column).text = text
        if notes := slide.get("notes"):
            made.notes_slide.notes_text_frame.text = notes
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def epub(chapters: Mapping[str, str], title: str = "") -> bytes:
    """A book of these pages, by file name, in their order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", (
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'))
        items = "".join(f'<item id="c{number}" href="text/{name}" media-type="application/xhtml+xml"/>'
                        for number, name in enumerate(chapters))
        order = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
        archive.writestr("OEBPS/book.opf", (
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<metadata><dc:title>{title}</dc:title></metadata><manifest>{items}</manifest>"
            f"<spine>{order}</spine></package>"))
        for name, body in chapters.items():
            archive.writestr(f"OEBPS/text/{name}", f"<html><head><title>x</title></head><body>{body}</body></html>")
    return out.getvalue()


def eml(body: str, *, subject: str = "The lamp", html: str = "", attachments: Sequence[str] = ()) -> bytes:
    message = EmailMessage()
    message["From"] = "Ingrid Halloran <ingrid@example.org>"
    message["To"] = "Jörg Maß <joerg@example.org>"
    message["Date"] = "Tue, 04 Mar 2025 10:15:00 +0000"
    message["Subject"] = subject
    if body:
        message.set_content(body, charset="iso-8859-1")
    if html:
        (message.add_alternative if body else message.set_content)(html, subtype="html")
    for name in attachments:
        message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()
