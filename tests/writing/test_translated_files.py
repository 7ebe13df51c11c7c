"""Files whose words are translated and whose layout stays."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from docx.shared import Pt
from hypothesis import given, settings

from qa.writing import files
from qa.writing.docx_texts import Docx, DocxProblem
from qa.writing.files import FileProblem
from tests.docx_files import damaged_in
from tests.writing.test_translate_text import translated

SRT = """1
00:00:01,000 --> 00:00:03,500
Where were you
all night, <i>my friend</i>?

2
00:00:04,000 --> 00:00:06,000
{\\an8}I was here. This is quite a long answer to it.
"""


def through(folder: Path, name: str, data: bytes) -> bytes:
    """The file with its words in capital letters."""
    file = folder / "original"
    file.write_bytes(data)
    words = files.read(file, name)
    done = translated(words.text, format=words.format)
    files.write(file, name, done.translation, folder / "made")
    return (folder / "made").read_bytes()


def report() -> bytes:
    """A document with styles, a table, a picture's place, a link, a header and a tab."""
    document = docx.Document()
    document.add_heading("The harbour", level=1)
    paragraph = document.add_paragraph("The light is ")
    paragraph.add_run("very bright").bold = True
    paragraph.add_run(" at night.")
    second = document.add_paragraph(style="List Bullet")
    second.add_run("Keeper\tName")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Lamp", "42"
    document.sections[0].header.paragraphs[0].text = "Yearly report"
    document.add_page_break()
    last = document.add_paragraph().add_run("The end.")
    last.font.size = Pt(20)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_docx_keeps_its_styles_tables_headers_and_page_breaks(tmp_path: Path):
    original = docx.Document(io.BytesIO(report()))
    made = docx.Document(io.BytesIO(through(tmp_path, "report.docx", report())))
    assert [p.text for p in made.paragraphs] == [p.text.upper() for p in original.paragraphs]
    assert [p.style.name for p in made.paragraphs] == [p.style.name for p in original.paragraphs]
    assert [(run.text, run.bold) for run in made.paragraphs[1].runs] == [
        ("THE LIGHT IS ", None), ("VERY BRIGHT", True), (" AT NIGHT.", None)]
    assert made.paragraphs[2].text == "KEEPER\tNAME"
    assert [cell.text for cell in made.tables[0].row_cells(0)] == ["LAMP", "42"]
    assert made.sections[0].header.paragraphs[0].text == "YEARLY REPORT"
    assert made.paragraphs[-1].runs[0].font.size == Pt(20)


def test_subtitles_keep_their_numbers_and_times_and_long_lines_are_cut(tmp_path: Path):
    assert through(tmp_path, "film.srt", SRT.encode()).decode() == """1
00:00:01,000 --> 00:00:03,500
WHERE WERE YOU ALL
NIGHT, <i>MY FRIEND</i>?

2
00:00:04,000 --> 00:00:06,000
{\\an8}I WAS HERE. THIS IS
QUITE A LONG ANSWER TO IT.
"""


def test_a_page_in_an_old_encoding_becomes_utf_8_and_says_so(tmp_path: Path):
    page = '<meta charset="gbk"><p>the 你好</p>'.encode("gbk")
    assert through(tmp_path, "page.html", page).decode("utf-8") == '<meta charset="utf-8"><p>THE 你好</p>'


def zip_of(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def with_damaged(data: bytes, part: str) -> bytes:
    """The archive with the beginning of one part's packed bytes overwritten."""
    info = zipfile.ZipFile(io.BytesIO(data)).getinfo(part)
    start = info.header_offset + 30 + len(part)
    return data[:start] + b"\xff" * 8 + data[start + 8 :]


BOMB = zip_of(**{"word__document.xml": b"<a>" + b" " * 300_000_000 + b"</a>"})
ENTITIES = b"""<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;&x;">]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:r><w:t>&y;</w:t></w:r></w:p></w:document>"""


@pytest.mark.parametrize(("name", "data", "code"), [
    ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "encrypted"),
    ("a.docx", b"PK\x03\x04 not really", "broken"),
    ("a.docx", zip_of(**{"word__other.xml": b"<a/>"}), "broken"),
    ("a.docx", zip_of(**{"word__document.xml": b"<a><b></a>"}), "broken"),
    ("a.docx", with_damaged(report(), "word/document.xml"), "broken"),
    ("a.docx", with_damaged(report(), "docProps/thumbnail.jpeg"), "broken"),
    ("a.docx", BOMB, "too_large"),
    ("a.docx", zip_of(**{"word__document.xml": ENTITIES}), "empty"),
    ("a.docx", b"", "empty"),
    ("a.txt", b"  \n ", "empty"),
    ("a.txt", b"123 456", "empty"),
    ("a.txt", bytes(range(256)) * 40, "binary"),
    ("a.xlsx", b"data", "unsupported"),
])
def test_a_file_that_cannot_be_translated_says_why(tmp_path: Path, name: str, data: bytes, code: str):
    with pytest.raises(FileProblem) as raised:
        through(tmp_path, name, data)
    assert raised.value.code == code


@settings(max_examples=40)
@given(damaged_in(report()))
def test_a_damaged_docx_is_translated_or_refused(damaged: bytes):
    try:
        taken = Docx(damaged)
    except DocxProblem:
        return
    assert Docx(taken.written([line.upper() for line in taken.lines])).lines is not None
