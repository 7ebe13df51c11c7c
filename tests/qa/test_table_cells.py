"""A question that names a row and a column of a Markdown table is answered by their cell; no other question is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.table_cells import cell_asked_for
from qa.tables import tables

ALLOWANCES = """## Booking

Journeys to France and China are booked by the travel desk.

## Daily allowances

| Country | Full day | Half day |
|---|---|---|
| Germany | 28 EUR | 14 EUR |
| France | **53 EUR** | 26.50 EUR |
| Overseas France | 60 EUR | - |
| China | 48 EUR | 24 EUR |
"""
BRIDGES = """# Bridges of Aldmoor

| Bridge | Opened | Length (m) | Designer | Employees |
|---|---|---:|---|---|
| Corran Bridge | 1889 | 412 | Thomas Arrol | 7 |
| Glen Viaduct | 1904 | 238 | Mary Finch | 3 |
"""
SETTINGS = """# Limits

| Setting | Default |
|---|---|
| `MAX_UPLOAD` | 50 MB |
| session timeout | 30 minutes |
"""
PLANS = """# Prices of the plans

|  | Basic | Pro |
|---|---|---|
| Price | 9 EUR | 19 EUR |
| Storage | 5 GB | 200 GB |
"""
补贴 = """# 出差补贴

| 国家 | 全天补贴 | 半天补贴 |
|---|---|---|
| 法国 | 53欧元 | 26欧元 |
| 德国 | 28欧元 | 14欧元 |
"""


@pytest.mark.parametrize(("text", "question", "answer"), [
    (ALLOWANCES, "How much is the full day allowance in France?", "53 EUR"),
    (ALLOWANCES, "What is the half-day allowance for China?", "24 EUR"),
    (ALLOWANCES, "What is the allowance for a full day in overseas France?", "60 EUR"),
    (BRIDGES, "When was the Corran Bridge opened?", "1889"),
    (BRIDGES, "Who designed the Glen Viaduct?", "Mary Finch"),
    (BRIDGES, "How long is the Corran Bridge?", "412"),
    (BRIDGES, "How many employees does the Glen Viaduct have?", "3"),
    (SETTINGS, "What is the session timeout?", "30 minutes"),
    (SETTINGS, "What is the default of MAX_UPLOAD?", "50 MB"),
    (PLANS, "What is the price of the Pro plan?", "19 EUR"),
    (PLANS, "How much storage does the basic plan have?", "5 GB"),
    (补贴, "法国的全天补贴是多少？", "53欧元"),
    (补贴, "去德国出差，半天补贴多少钱？", "14欧元"),
])
def test_the_cell_of_the_row_and_column_that_are_named_is_found_at_its_place(text, question, answer):
    cell = cell_asked_for(question, [("d", "", text)])
    assert text[cell.start : cell.end] == answer
    assert cell.row.start <= cell.start < cell.end <= cell.row.end and cell.document == "d"


@pytest.mark.parametrize(("text", "question"), [
    (ALLOWANCES, "How much is the full day allowance in Spain?"),  # no such row
    (ALLOWANCES, "How much is the allowance in France?"),  # which column?
    (ALLOWANCES, "How much more is a full day in France than in Germany?"),  # two rows
    (ALLOWANCES, "What is the half day allowance for overseas France?"),  # empty
    (ALLOWANCES, "Why is the full day allowance in France higher now?"),  # no question for a cell
    (ALLOWANCES, "How much was the full day allowance in France cut by the minister?"),  # words that nothing explains
    (ALLOWANCES, "Who books journeys to France?"),
    (BRIDGES, "Who painted the Corran Bridge?"),
    (BRIDGES, "What is the Corran Bridge?"),
    ("Country: France; Full day: 53 EUR.\nCountry: China; Full day: 48 EUR.\n", "How much is a full day in France?"),
    (补贴, "除了法国，全天补贴最高的国家是哪个？"),
    (补贴, "法国和德国的全天补贴是多少？"),
    (补贴, "法国的补贴是多少？"),
    ("| a | b |\n|---|---|\n| Lamp | 4 |\n| Lamp | 5 |\n| Rope | 6 |\n", "What is b of the lamp?"),  # two such rows
])
def test_every_other_question_is_left_to_the_reader(text, question):
    assert cell_asked_for(question, [("d", "", text)]) is None


@given(st.text(alphabet="ab|-:; \n1*`\\", max_size=120))
def test_each_cell_stands_at_its_place(text):
    for table in tables(text):
        for row in table.rows:
            for name, (start, end) in row.places.items():
                assert row.start <= start <= end <= row.end
                assert text[start:end].replace("\\|", "|") == row.cells[name]
