"""Spreadsheets and CSV: each row says its columns' names and knows its sheet and number."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents import DocumentError, parse
from qa.passages import split
from qa.structure import Structure
from tests.docx_files import bomb
from tests.office_files import xlsx

PRICES = [
    ["Price list, spring"],
    [],
    ["Article", "Price", "Since", "In stock"],
    ["Flange", 45.5, datetime.date(2025, 1, 2), 7],
    [],
    ["Bearing", 15, None, True],
]


def rows_of(parsed) -> dict[int, str]:
    return {row.number: parsed.text[row.start : row.end] for row in parsed.structure.rows}


def test_a_row_of_a_spreadsheet_says_its_columns_and_knows_its_number_and_sheet():
    parsed = parse(xlsx({"Prices": PRICES}), "prices.xlsx")
    assert rows_of(parsed) == {4: "Article: Flange; Price: 45.5; Since: 2025-01-02; In stock: 7.",
                               6: "Article: Bearing; Price: 15; In stock: TRUE."}
    assert parsed.text.startswith("Prices\n\nPrice list, spring\nArticle | Price | Since | In stock\nArticle: Flange")
    at = parsed.text.index("15;")
    assert (parsed.structure.section_at(at), parsed.structure.row_at(at)) == ("Prices", 6)
    assert parsed.structure.row_at(parsed.text.index("spring")) is None
    assert parsed.title == "prices"


def test_rows_of_several_sheets_name_their_sheet_and_hidden_sheets_are_left_out():
    year = [["Month", "Sold"], ["May", 3]]
    parsed = parse(xlsx({"2024": year, "2025": year, "Lists": year}, hidden=["Lists"]), "sold.xlsx")
    assert [parsed.text[row.start : row.end] for row in parsed.structure.rows] == [
        "2024 | Month: May; Sold: 3.", "2025 | Month: May; Sold: 3."]
    assert [heading.title for heading in parsed.structure.headings] == ["2024", "2025"]


def test_a_sheet_without_names_of_columns_has_its_cells_as_they_are():
    assert rows_of(parse(xlsx({"a": [[1, 2], [3, 4]]}), "n.xlsx")) == {1: "1; 2.", 2: "3; 4."}


@pytest.mark.parametrize(("content", "rows"), [
    ("Name,Age\nAda,36\n\n\"Grace\nH.\",85", {2: "Name: Ada; Age: 36.", 4: "Name: Grace H.; Age: 85."}),
    ("Name;Preis\nBrot;3,50\nMilch;1,20", {2: "Name: Brot; Preis: 3,50.", 3: "Name: Milch; Preis: 1,20."}),
    ("城市\t人口\n柏林\t3,6", {2: "城市: 柏林; 人口: 3,6."}),
    ("only one\ncolumn", {1: "only one.", 2: "column."}),
])
def test_a_csv_file_is_read_with_the_delimiter_that_it_uses(content: str, rows: dict[int, str]):
    for encoding in ("utf-8", "utf-16", "gb18030"):
        assert rows_of(parse(content.encode(encoding), "table.csv")) == rows


def test_each_row_is_a_passage_of_its_own():
    content = "Name,Age\n" + "\n".join(f"Person {number},{number}" for number in range(50))
    parsed = parse(content.encode(), "people.csv")
    passages = [parsed.text[p.start : p.end] for p in split(parsed.text, parsed.structure.rows)]
    assert passages[1:3] == ["Name: Person 0; Age: 0.", "Name: Person 1; Age: 1."] and len(passages) == 51


@pytest.mark.parametrize(("data", "code"), [
    (bomb(), "too_hard"), (b"PK\x03\x04", "damaged"), (b"Name,Age\nnot a workbook", "damaged"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"), (xlsx({"empty": []}), "empty"),
])
def test_a_spreadsheet_that_cannot_be_read_says_why(data: bytes, code: str):
    with pytest.raises(DocumentError) as refused:
        parse(data, "file.xlsx")
    assert refused.value.code == code




@given(st.text(st.sampled_from('ab1,;\t"\n| é中.\r\x00'), max_size=300))
def test_rows_lie_in_the_text_in_order_whatever_the_file_holds(content: str):
    try:
        parsed = parse(content.encode(), "any.csv")
    except DocumentError:
        return
    end = 0
    for row in parsed.structure.rows:
        assert end <= row.start < row.end <= len(parsed.text) and "\n" not in parsed.text[row.start : row.end]
        end = row.end
    covered = "".join(parsed.text[p.start : p.end] for p in split(parsed.text, parsed.structure.rows))
    assert set(parsed.text) - {"\n", " "} <= set(covered)
    assert Structure.from_json(parsed.structure.to_json()) == parsed.structure


def test_a_structure_that_an_older_release_wrote_is_read():
    assert Structure.from_json('{"pages": [0], "headings": [[0, 1, "A"]]}').rows == ()
