"""Tables are read as rows of named cells, and answer only the questions that they account for to the last word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.table_answers import compared, from_tables
from qa.tables import tables

BRIDGES = """# Bridges of Aldmoor

| Bridge | Opened | Length (m) | Designer |
|---|---|---:|---|
| Corran Bridge | 1889 | 412 | Thomas Arrol |
| Glen Viaduct | 1904 | 238 | Mary Finch |
| Queen's Crossing | 1967 | 1,120 | Ove Lindqvist |
| Ferry Bridge | 2011 | 655 | Ove Lindqvist |

The Corran Bridge is a steel arch bridge.
"""
STAFF = """Name: Alice Moreau; Role: Head of Finance; City: Leeds; Started: 2015-03-02.

Name: Bob Chen; Role: Software Engineer; City: London; Started: 2019-11-18.

Name: Carla Diaz; Role: Software Engineer; City: Leeds; Started: 2021-01-04.
"""


def test_a_markdown_table_is_read_with_the_places_of_its_rows():
    (table,) = tables(BRIDGES)
    assert table.columns == ("Bridge", "Opened", "Length (m)", "Designer")
    row = table.rows[1]
    assert row.cells["Designer"] == "Mary Finch"
    assert BRIDGES[row.start : row.end] == "| Glen Viaduct | 1904 | 238 | Mary Finch |"


def test_lines_of_named_cells_are_a_table():
    (table,) = tables(STAFF)
    assert table.names() == ["Alice Moreau", "Bob Chen", "Carla Diaz"]
    assert table.rows[2].cells["Started"] == "2021-01-04"


def test_prose_with_colons_and_semicolons_is_none():
    assert tables("Note: this is prose; it goes on.\nIt ends here: now; or later.\n") == []


@given(st.text(alphabet="ab|-:; \n1", max_size=120))
def test_whatever_the_text_rows_lie_within_it(text):
    for table in tables(text):
        for row in table.rows:
            assert 0 <= row.start <= row.end <= len(text)


@pytest.mark.parametrize(
    ("question", "kind", "answer"),
    [
        ("How many bridges are listed?", "count", "4"),
        ("How many bridges did Ove Lindqvist design?", "count", "2"),
        ("How many bridges opened after 1900?", "count", "3"),
        ("Which bridges did Ove Lindqvist design?", "list", "Queen's Crossing, Ferry Bridge"),
        ("Which bridges opened before 1950?", "list", "Corran Bridge, Glen Viaduct"),
        ("Which bridges are longer than 500 m?", "list", "Queen's Crossing, Ferry Bridge"),
        ("List all bridges", "list", "Corran Bridge, Glen Viaduct, Queen's Crossing, Ferry Bridge"),
        ("Which bridge is the longest?", "extreme", "Queen's Crossing"),
        ("Which is the oldest bridge?", "extreme", "Corran Bridge"),
    ],
)
def test_counts_lists_and_extremes_are_worked_out(question, kind, answer):
    found = from_tables(question, [("b", "bridges.md", BRIDGES)])
    assert (found.kind, found.answer) == (kind, answer)
    assert all(BRIDGES[row.start : row.end].startswith("| ") for row in found.rows)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many software engineers work in Leeds?", "1"),
        ("Who works in Leeds?", "Alice Moreau, Carla Diaz"),
        ("Who started first?", "Alice Moreau"),
    ],
)
def test_cells_that_the_question_names_choose_the_rows(question, answer):
    assert from_tables(question, [("s", "staff.csv", STAFF)]).answer == answer


@pytest.mark.parametrize(
    "question",
    [
        "How long is Ferry Bridge?",
        "Which bridge has a toll?",
        "How many people crossed the bridges last summer?",
        "Which bridges are painted red?",
        "Who is the oldest?",
        "Who designed the Corran Bridge?",
        "有多少座桥？",
    ],
)
def test_a_question_with_a_word_that_no_table_accounts_for_is_left_to_the_reader(question):
    documents = [("b", "bridges.md", BRIDGES), ("s", "staff.csv", STAFF)]
    assert from_tables(question, documents) is None


COMPANIES = """Companies

| Company | Employees | Town | Founded |
|---|---|---|---|
| Acme | 120 | Berlin | 1990 |
| Bolt | 45 | Paris | 2001 |
| Cray | 300 | Berlin | 1985 |
"""


@pytest.mark.parametrize("question", [
    "How many employees does Acme have?", "What is the number of employees of Bolt?",
    "How many employees work in Berlin?",
    "How many employees are there in total?", "What is the highest number of employees?",
    "Which town has the most employees?",
])
def test_a_question_for_a_cell_or_a_sum_is_not_answered_with_a_count_of_rows(question):
    assert from_tables(question, [("c", "companies.md", COMPANIES)]) is None


@pytest.mark.parametrize(("question", "answer"), [
    ("How many companies are in Berlin?", "2"), ("How many towns are listed?", "2"),
    ("How many companies have more than 100 employees?", "2"), ("List all towns", "Berlin, Paris"),
    ("Which company was founded first?", "Cray"),
])
def test_what_is_counted_or_listed_is_what_the_question_names(question, answer):
    assert from_tables(question, [("c", "companies.md", COMPANIES)]).answer == answer


def test_an_empty_cell_does_not_move_those_after_it():
    table, = tables("|a|b|c|\n|---|---|---|\n|1||3|\n|2|x|4|\n")
    assert table.rows[0].cells == {"a": "1", "b": "", "c": "3"}


def test_two_rows_are_compared_by_the_column_that_the_comparative_is_about():
    answer, values = compared("Ferry Bridge", "the Glen Viaduct", "longer", [("b", "bridges.md", BRIDGES)])
    assert (answer.answer, values) == ("Ferry Bridge", ("655", "238"))
    answer, values = compared("Ferry Bridge", "the Glen Viaduct", "older", [("b", "bridges.md", BRIDGES)])
    assert (answer.answer, values) == ("Glen Viaduct", ("1904", "2011"))
    assert compared("Ferry Bridge", "Tower Bridge", "longer", [("b", "bridges.md", BRIDGES)]) is None
