"""Slides, books, e-mails and RTF: their text with what says where it stands; damaged ones are refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents import DocumentError, parse
from tests.docx_files import bomb, docx_bytes
from tests.office_files import eml, epub, pptx, xlsx
from tests.pdf_files import pdf

SLIDES = [
    {"title": "The tower", "text": "Built in 1871.\nOn the reef.", "notes": "Mention Ingrid."},
    {},
    {"title": "Its lamp", "table": [["Part", "Range"], ["Lamp", "30 miles"]]},
]
BOOK = {"one.xhtml": "<h1>The storm</h1><p>It rained.</p>", "two.xhtml": "<h1>The calm</h1><p>It stopped.</p>"}
RTF = (rb"{\rtf1\ansi\ansicpg1252{\info{\title The tower}}{\fonttbl{\f0 Arial;}}\f0 Built in 1871\'85\par "
       rb"By \u214?rjan \b Halloran\b0.\par}")


def test_slides_have_numbers_titles_notes_and_tables():
    parsed = parse(pptx(SLIDES), "talk.pptx")
    assert parsed.text == ("The tower\n\nBuilt in 1871.\nOn the reef.\n\nNotes: Mention Ingrid.\n\nIts lamp\n\n"
                           "Part | Range\nPart: Lamp; Range: 30 miles.")
    lamp = parsed.text.index("30 miles")
    structure = parsed.structure
    assert (structure.page_at(lamp), structure.page_kind, structure.section_at(lamp)) == (3, "slide", "Its lamp")
    assert structure.page_at(parsed.text.index("Ingrid")) == 1 and structure.row_at(lamp) is None
    assert parsed.title == "The tower"


def test_a_books_chapters_come_in_their_order_and_are_headings():
    parsed = parse(epub(BOOK, title="Weather"), "weather.epub")
    assert parsed.text == "The storm\n\nIt rained.\n\nThe calm\n\nIt stopped." and parsed.title == "Weather"
    assert parsed.structure.section_at(parsed.text.index("stopped")) == "The calm"


def test_a_books_entity_that_would_read_a_file_is_not_resolved(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(epub(BOOK))) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name).decode()
            if name.endswith(".opf"):
                content = f'<!DOCTYPE p [<!ENTITY a SYSTEM "file://{secret}">]>' + content.replace(
                    "<dc:title>", "<dc:title>&a;")
            target.writestr(name, content)
    parsed = parse(out.getvalue(), "book.epub")
    assert "secret" not in parsed.title + parsed.text


def test_a_mail_says_who_wrote_when_and_what_is_attached():
    parsed = parse(eml("Dear all,\n\nthe lamp is out. Äh.", attachments=["plan.pdf"]), "lamp.eml")
    assert parsed.text == (
        "From: Ingrid Halloran <ingrid@example.org>\nTo: Jörg Maß <joerg@example.org>\n"
        "Date: Tue, 04 Mar 2025 10:15:00 +0000\nSubject: The lamp\nAttachments: plan.pdf\n\n"
        "Dear all,\n\nthe lamp is out. Äh.")
    assert parsed.title == "The lamp"


def test_a_mail_that_is_a_page_only_is_read_as_its_text():
    assert parse(eml("", html="<p>The <b>lamp</b> is out.</p>"), "a.eml").text.endswith("\n\nThe lamp is out.")


def test_rtf_is_read_with_its_letters():
    parsed = parse(RTF, "tower.rtf")
    assert parsed.text == "Built in 1871…\nBy Örjan Halloran." and parsed.title == "The tower"


@pytest.mark.parametrize(("data", "name", "code"), [
    (bomb(), "a.pptx", "too_hard"), (bomb(), "a.epub", "too_hard"), (docx_bytes(lambda d: None), "a.pptx", "damaged"),
    (docx_bytes(lambda d: None), "a.epub", "damaged"), (b"PK\x03\x04", "a.epub", "damaged"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.pptx", "encrypted"), (b"no header\n\nand a body", "a.eml", "damaged"),
    (b"{\\html", "a.rtf", "damaged"), (pptx([{}]), "blank.pptx", "empty"),
])
def test_a_file_that_cannot_be_read_says_why(data: bytes, name: str, code: str):
    with pytest.raises(DocumentError) as refused:
        parse(data, name)
    assert refused.value.code == code


FILES = {
    "a.pptx": pptx(SLIDES), "a.epub": epub(BOOK, title="Weather"), "a.xlsx": xlsx({"a": [["x", "y"], [1, 2]]}),
    "a.eml": eml("Body", html="<p>Page</p>", attachments=["plan.pdf"]), "a.rtf": RTF,
    "a.docx": docx_bytes(lambda document: document.add_paragraph("Text.")), "a.pdf": pdf([["Text."]]),
}


@settings(max_examples=60)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_of_any_type_becomes_a_document_or_a_document_error(name: str, data: st.DataObject):
    damaged = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(1, len(damaged))))
    try:
        parsed = parse(bytes(damaged[:cut]), name)
    except DocumentError as error:
        assert name in error.message
        return
    assert parsed.text.strip() == parsed.text
    assert all(0 <= heading.start < len(parsed.text) for heading in parsed.structure.headings)
    assert list(parsed.structure.pages) == sorted(parsed.structure.pages)


@settings(max_examples=40)
@given(st.sampled_from(["ppt/slides/slide1.xml", "ppt/presentation.xml", "OEBPS/book.opf", "OEBPS/text/one.xhtml",
                        "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "word/document.xml"]),
       st.data())
def test_a_part_that_was_written_wrongly_becomes_a_document_or_a_document_error(part: str, data: st.DataObject):
    """Damage within a part, whose checksum fits all the same."""
    name = next(name for name, content in FILES.items() if part.encode() in content)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(FILES[name])) as source, zipfile.ZipFile(out, "w") as target:
        for each in source.namelist():
            content = source.read(each)
            if each == part:
                at = data.draw(st.integers(0, len(content) - 1))
                wrong = data.draw(st.sampled_from([b"", b"<", b">", b'"', b"/>", b"</a>", b"\x00", b"&x;", b"\xff"]))
                content = content[:at] + wrong + content[at + data.draw(st.integers(0, 20)):]
            target.writestr(each, content)
    try:
        assert parse(out.getvalue(), name).text
    except DocumentError as error:
        assert name in error.message
