"""PDF files: their letters become paragraphs, their pages and headings are known, and what has no text is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents import DocumentError, parse
from qa.structure import Heading
from tests.pdf_files import pdf
from tests.picture_files import BLANK, scan

LONG = "The gauge keeper wrote the level of the river into his book each"
NEXT = "morning, and nobody ever doubted what he wrote."


def text_of(*pages, **more) -> str:
    return parse(pdf(pages, **more), "file.pdf").text


def test_wrapped_lines_become_a_paragraph_and_a_gap_parts_two():
    assert text_of([LONG, NEXT, "", LONG, NEXT]) == f"{LONG} {NEXT}\n\n{LONG} {NEXT}"


def test_a_line_that_would_have_had_room_for_more_is_a_line_of_its_own():
    assert text_of([LONG, NEXT, "Short.", "Shorter."]) == f"{LONG} {NEXT}\nShort.\nShorter."


def test_a_word_that_a_hyphen_breaks_is_put_together():
    assert text_of(["The river rises in the nor-", "thern hills."]) == "The river rises in the northern hills."


def test_a_sentence_goes_on_over_the_page_and_each_page_is_found_again():
    parsed = parse(pdf([[LONG], [NEXT, "", "The end of it."], [], ["Last page."]]), "file.pdf")
    assert parsed.text == f"{LONG} {NEXT}\n\nThe end of it.\n\nLast page."
    places = [parsed.text.index(words) for words in ("gauge", "morning", "end of", "Last")]
    assert [parsed.structure.page_at(place) for place in places] == [1, 2, 2, 4]


def test_cells_of_a_table_are_told_apart_and_its_rows_stay_rows():
    rows = [(72, 700 - 14 * i, 11, name) for i, name in enumerate(("Name", "Elbe", "Oder"))]
    cells = [(220, 700 - 14 * i, 11, value) for i, value in enumerate(("Length", "1094", "866"))]
    assert text_of([part for pair in zip(rows, cells, strict=True) for part in pair]) == (
        "Name | Length\nElbe | 1094\nOder | 866")


def test_running_heads_and_page_numbers_are_left_out():
    pages = [["Annual report", "", f"What happened in month {n}.", "More of it.", "And the end.", "", f"Page {n}"]
             for n in range(1, 6)]
    text = text_of(*pages)
    assert "Annual report" not in text and "Page" not in text and "month 3" in text


def test_lines_of_the_text_that_begin_many_pages_alike_are_kept():
    pages = [[f"Form {n}", f"Name of applicant {n}", "Signed"] for n in range(1, 6)]
    assert text_of(*pages).count("Form") == text_of(*pages).count("Signed") == 5


def test_taller_letters_make_a_heading_with_its_level():
    parsed = parse(pdf([[(72, 780, 22, "The river"), (72, 740, 15, "Its source"), (72, 700, 11, LONG),
                         (72, 686, 11, NEXT)]]), "file.pdf")
    assert parsed.text.startswith("The river\n\nIts source\n\nThe gauge")
    assert parsed.structure.headings == (Heading(0, 1, "The river"), Heading(11, 2, "Its source"))
    assert parsed.title == "The river" and parsed.structure.section_at(40) == "Its source"


def test_the_files_own_outline_says_what_the_headings_are():
    parsed = parse(pdf([["Beginning", "", LONG, NEXT], [LONG, NEXT, "", "Middle part", "", LONG]],
                       outline=[("Beginning", 0), ("Middle part", 1), ("Nowhere", 1)], title="A report"), "file.pdf")
    assert [(heading.title, parsed.text[heading.start :][:6]) for heading in parsed.structure.headings] == [
        ("Beginning", "Beginn"), ("Nowhere", "The ga"), ("Middle part", "Middle")]
    assert parsed.title == "A report"


def test_a_title_that_is_no_text_does_not_keep_the_pages_from_being_read():
    half = "þÿØ\x00\x00A"  # half of a character of UTF-16
    parsed = parse(pdf([["Beginning", "", LONG]], outline=[(half, 0), ("Beginning", 0)], title=half), "file.pdf")
    assert parsed.text == f"Beginning\n\n{LONG}"
    assert [heading.title for heading in parsed.structure.headings] == ["Beginning"]


@pytest.mark.parametrize(("data", "code", "words"), [
    (pdf([["secret"]], is_encrypted=True), "encrypted", "password"),
    (pdf([[], []]), "empty", "holds no text"),
    (scan([BLANK]), "scanned", "rapidocr"),
    (b"%PDF-1.7\nnothing more", "damaged", "PDF viewer"),
    (b"plain text", "damaged", "no PDF"),
    (b"", "empty", "is empty"),
])
def test_a_file_without_readable_text_is_refused_with_what_to_do(data: bytes, code: str, words: str):
    with pytest.raises(DocumentError, match=words) as raised:
        parse(data, "file.pdf")
    assert raised.value.code == code and raised.value.message.startswith("file.pdf")


WHOLE = pdf([["One line.", "Two lines."], ["Another page."]], outline=[("One", 0)], title="T")


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE)), st.integers(0, 30), st.binary(max_size=30))
def test_a_damaged_file_is_read_as_far_as_it_can_be_or_refused(at: int, cut: int, put: bytes):
    try:
        parsed = parse(WHOLE[:at] + put + WHOLE[at + cut :], "file.pdf")
    except DocumentError:
        return
    assert all(0 <= page <= len(parsed.text) for page in parsed.structure.pages)
    assert list(parsed.structure.pages) == sorted(parsed.structure.pages)
    assert all(0 <= heading.start <= len(parsed.text) for heading in parsed.structure.headings)


printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(st.lists(st.lists(st.lists(printable, min_size=1, max_size=8).map(" ".join), max_size=6), min_size=1,
                max_size=4))
def test_no_letter_of_a_page_is_lost_but_hyphens_and_running_heads(pages: list[list[str]]):
    try:
        parsed = parse(pdf(pages), "file.pdf")
    except DocumentError as error:
        assert error.code == "empty"
        return
    if len(pages) < 3:  # fewer pages have no running heads
        written = "".join("".join(lines) for lines in pages).replace(" ", "").replace("-", "")
        read = parsed.text.replace(" | ", "").replace("\n", "").replace(" ", "").replace("-", "").replace("|", "")
        assert read == written.replace("|", "")
    assert len(parsed.structure.pages) == len(pages)
