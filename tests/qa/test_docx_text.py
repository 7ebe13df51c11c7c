"""DOCX files: headings, lists and tables stay readable, and a hostile or broken file is refused."""

from __future__ import annotations

import pytest
from docx.document import Document
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qa.documents import DocumentError, parse
from qa.passages import split
from qa.structure import Heading
from tests.docx_files import bomb, damaged_in, docx_bytes, with_body, with_parts

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def read(fill) -> str:
    return parse(docx_bytes(fill), "file.docx").text


def manual(document: Document) -> None:
    document.add_heading("The manual", 0)
    document.add_paragraph("It says all.")
    document.add_heading("Installing", 1)
    document.add_paragraph("Unpack it.")
    document.add_heading("安装", 2)
    document.add_paragraph("打开包装。")


def test_headings_are_known_with_their_level_and_place():
    parsed = parse(docx_bytes(manual), "file.docx")
    assert parsed.text == "The manual\n\nIt says all.\n\nInstalling\n\nUnpack it.\n\n安装\n\n打开包装。"
    assert parsed.structure.headings == (
        Heading(0, 1, "The manual"), Heading(26, 1, "Installing"), Heading(50, 2, "安装"))
    assert parsed.title == "The manual"
    assert parsed.structure.section_at(parsed.text.index("打开")) == "安装"


def test_lists_have_their_bullets_and_numbers():
    def fill(document: Document) -> None:
        for style, text in (("List Bullet", "tea"), ("List Bullet", "milk"), ("List Number", "boil"),
                            ("List Number", "pour")):
            document.add_paragraph(text, style=style)

    assert read(fill) == "- tea\n- milk\n1. boil\n2. pour"


def test_a_table_has_a_row_a_line_and_its_cells_parted():
    def fill(document: Document) -> None:
        document.add_paragraph("Before.")
        table = document.add_table(2, 2)
        for place, text in enumerate(("River", "Length", "Elbe\nLabe", "1094 km")):
            table.cell(place // 2, place % 2).text = text
        inner = table.cell(1, 1).add_table(1, 1)
        inner.cell(0, 0).text = "inner"
        document.add_paragraph("After.")

    assert read(fill) == "Before.\n\nRiver: Length.\nElbe Labe: 1094 km inner.\n\nAfter."


def test_each_row_of_a_long_table_says_its_columns_names_and_is_a_passage_of_its_own():
    def fill(document: Document) -> None:
        document.add_heading("Rivers", 1)
        table = document.add_table(1 + 60, 3)
        for place, row in enumerate([("River", "Length", "Mouth"), *((f"River {n}", f"{n} km", "North Sea")
                                                                     for n in range(60))]):
            for cell, text in zip(table.rows[place].cells, row, strict=True):
                cell.text = text

    parsed = parse(docx_bytes(fill), "rivers.docx")
    passages = [parsed.text[p.start : p.end] for p in split(parsed.text, parsed.structure.rows)]
    assert passages[-1] == "River: River 59; Length: 59 km; Mouth: North Sea." and len(passages) == 61
    at = parsed.text.index("River 59")
    assert parsed.structure.section_at(at) == "Rivers" and parsed.structure.row_at(at) is None


def test_what_was_deleted_is_left_out_and_what_was_inserted_is_there():
    body = (f'<w:document {W}><w:body><w:p><w:r><w:t>Kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r>'
            '</w:del><w:ins><w:r><w:t>new</w:t><w:tab/><w:t>tab</w:t><w:br/><w:t>line</w:t></w:r></w:ins>'
            '<w:r><w:instrText>PAGE</w:instrText></w:r></w:p></w:body></w:document>')
    assert parse(with_body(body), "file.docx").text == "Kept new tab\nline"


def test_an_entity_that_would_read_a_file_or_grow_without_end_is_not_resolved(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    for entity in (f'<!ENTITY a SYSTEM "file://{secret}">', '<!ENTITY b "xxxxxxxxxx"><!ENTITY a "&b;&b;&b;&b;&b;">'):
        body = (f'<!DOCTYPE d [{entity}]><w:document {W}><w:body><w:p><w:r><w:t>before &a; after</w:t></w:r></w:p>'
                '</w:body></w:document>')
        text = parse(with_body(body), "file.docx").text
        assert "before" in text and "secret" not in text and "xxxx" not in text


@pytest.mark.parametrize(("data", "code", "words"), [
    (bomb(), "too_hard", "unpacks to far more"),
    (b"PK\x03\x04 and then nothing", "damaged", "no DOCX"),
    (b"plain text", "damaged", "save it anew"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted", "password"),
    (with_body("<w:document"), "damaged", "damaged"),
    (docx_bytes(lambda document: None), "empty", "no text"),
])
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(data: bytes, code: str, words: str):
    with pytest.raises(DocumentError, match=words) as raised:
        parse(data, "file.docx")
    assert raised.value.code == code and raised.value.message.startswith("file.docx")


def test_deep_nesting_is_read_or_refused_but_never_kills_the_reader():
    core = "<w:p><w:r><w:t>core</w:t></w:r></w:p>"
    deep = "<w:sdt><w:sdtContent>" * 5_000 + core + "</w:sdtContent></w:sdt>" * 5_000
    with pytest.raises(DocumentError):
        parse(with_body(f"<w:document {W}><w:body>{deep}</w:body></w:document>"), "file.docx")


WHOLE = docx_bytes(manual)


@settings(max_examples=40)
@given(damaged_in(WHOLE))
@example(WHOLE[:49] + bytes(5) + WHOLE[54:])  # what is packed cannot be unpacked
@example(with_parts(WHOLE, {"word/document.xml": f"<w:document {W}/>"}))
@example(with_parts(WHOLE, {"word/styles.xml": "<styles/>"}))
def test_a_damaged_file_is_read_or_refused(damaged: bytes):
    try:
        parsed = parse(damaged, "file.docx")
    except DocumentError:
        return
    for heading in parsed.structure.headings:
        assert parsed.text.startswith(heading.title, heading.start)


words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from([None, 0, 1, 3]), words), min_size=1, max_size=8))
def test_each_heading_stands_where_it_is_said_to_stand(blocks: list[tuple[int | None, str]]):
    def fill(document: Document) -> None:
        for level, text in blocks:
            document.add_paragraph(text) if level is None else document.add_heading(text, level)

    try:
        parsed = parse(docx_bytes(fill), "file.docx")
    except DocumentError as error:
        assert error.code == "empty"
        return
    for heading in parsed.structure.headings:
        assert parsed.text.startswith(heading.title, heading.start)
