"""Rows of preferences: the forms that are read, what is wrong with others, no prompt on both sides."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.formats import splits
from models_service.formats.checking import check
from models_service.formats.files import FormatError
from models_service.formats.preferences import Preference, preference_of, read_preferences
from models_service.formats.raw_rows import RawRow, rows_of, unpacked
from models_service.formats.row_text import BadRow

ASKED = {"role": "user", "content": "Where is it?"}
THERE, NOWHERE = ({"role": "assistant", "content": text} for text in ("In the park.", "Nowhere."))
RULE = {"role": "system", "content": "Be brief."}
BOTH = {"chosen": "In the park.", "rejected": "Nowhere."}
EXPECTED = Preference("", (("user", "Where is it?"),), "In the park.", "Nowhere.")


@pytest.mark.parametrize("row", [
    {"prompt": "Where is it?", **BOTH},
    {"prompt": [ASKED], "chosen": [THERE], "rejected": [NOWHERE]},
    {"prompt": [ASKED], **BOTH},
    {"messages": [ASKED], **BOTH},
    {"chosen": [ASKED, THERE], "rejected": [ASKED, NOWHERE]},
    {"prompt": "Where is it?", "chosen": [ASKED, THERE], "rejected": [ASKED, NOWHERE]},
    {"prompt": None, "messages": [ASKED], "chosen": [THERE], "rejected": "Nowhere."},
])
def test_each_form_of_a_row_says_the_same(row: dict[str, Any]) -> None:
    assert preference_of(row) == EXPECTED


def test_what_was_said_before_comes_with_it_and_a_row_is_read_as_it_is_written() -> None:
    before = [RULE, ASKED, THERE, {"role": "user", "content": "Why?"}]
    row = {"chosen": [*before, THERE], "rejected": [*before, NOWHERE]}
    found = preference_of(row)
    assert [role for role, _content in found.messages] == ["system", "user", "assistant", "user"]
    assert preference_of(found.as_row()) == found
    assert preference_of({"prompt": "Why?", **row}) == found  # named once more


@pytest.mark.parametrize(("row", "field", "code"), [
    ({"prompt": "A?", "chosen": "B."}, "rejected", "missing"),
    ({"prompt": "A?", "rejected": "B."}, "chosen", "missing"),
    ({**BOTH}, "prompt", "missing"), ({"prompt": " ", **BOTH}, "prompt", "empty"),
    ({"prompt": "A?", "chosen": " ", "rejected": "B."}, "chosen", "empty"),
    ({"prompt": "A?", "chosen": "B.", "rejected": 3}, "rejected", "no_text"),
    ({"prompt": "A?", "chosen": "Cafe\u0301.", "rejected": "Caf\xe9. "}, "rejected", "same_as_chosen"),
    ({"prompt": "A?", "chosen": "B.", "rejected": "x" * 100_001}, "rejected", "too_long"),
    ({"prompt": "A\ud800", **BOTH}, "prompt", "broken_characters"),
    ({"chosen": [ASKED, THERE], "rejected": [RULE, ASKED, NOWHERE]}, "rejected", "no_common_prefix"),
    ({"chosen": [ASKED, THERE], "rejected": "Nowhere."}, "rejected", "no_common_prefix"),
    ({"prompt": "Why?", "chosen": [ASKED, THERE], "rejected": [ASKED, NOWHERE]}, "chosen", "other_prompt"),
    ({"prompt": [ASKED, THERE], **BOTH}, "prompt", "no_question"), ({"prompt": [], **BOTH}, "prompt", "no_messages"),
    ({"messages": "A?", **BOTH}, "messages", "no_messages"), ({"messages": [3], **BOTH}, "messages[1]", "no_object"),
    ({"prompt": [ASKED], "chosen": [ASKED], "rejected": [NOWHERE]}, "chosen[1].role", "no_answer"),
    ({"prompt": [{**ASKED, "role": "judge"}], **BOTH}, "prompt[1].role", "no_role"),
    ({"prompt": [{"role": "user"}], **BOTH}, "prompt[1].content", "missing"),
])
def test_what_is_wrong_is_named_with_its_field(row: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(BadRow) as bad:
        preference_of(row)
    assert (bad.value.field, bad.value.code) == (field, code)
    found = check([RawRow(7, row)], "preferences")
    assert not found.rows and [(one.row, one.field, one.code) for one in found.problems] == [(7, field, code)]


def test_csv_and_json_lines_are_read_and_a_bad_row_is_named(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('Prompt,Chosen,Rejected\nWhere is it?,In the park.,Nowhere.\n"Why, then?",So.,Because.\n')
    assert [row.messages[0][1] for row in read_preferences(table)] == ["Where is it?", "Why, then?"]
    lines = tmp_path / "a.jsonl"
    lines.write_text(json.dumps({"id": "x", "prompt": "A?", **BOTH}) + "\n" + json.dumps({"prompt": "A?"}) + "\n")
    with pytest.raises(FormatError, match='row 2, "chosen": missing; mend or remove the row'):
        read_preferences(lines)


def test_parquet_as_data_sets_are_published_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"prompt": f"Question {number}?", "chosen": [{**ASKED, "content": f"Question {number}?"}, THERE],
             "rejected": [{**ASKED, "content": f"Question {number}?"}, NOWHERE]} for number in range(3)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = check(rows_of(unpacked(tmp_path / "a.parquet").decode(), "a.parquet"), "preferences")
    assert len(found.rows) == 3 and not found.problems
    assert [row.chosen for row in read_preferences(tmp_path / "a.parquet")] == ["In the park."] * 3


def test_the_same_pair_in_another_form_is_a_duplicate_and_a_prompt_is_on_one_side() -> None:
    rows = [{"prompt": f"Question {number // 4}?", "chosen": f"Yes {number}.", "rejected": "No."}
            for number in range(40)]
    again = {"messages": [{"role": "user", "content": "Question 0?"}], "chosen": "Yes 0.", "rejected": "No."}
    found = check(rows_of(json.dumps([*rows, again]), "a.json"), "preferences")
    assert len(found.rows) == 40 and [(one.code, one.detail) for one in found.problems] == [("duplicate", "1")]
    train, held_out = splits.split(found.rows, "preferences", 0.2, 1)
    sides = [{splits.text_of(row, "preferences") for row in side} for side in (train, held_out)]
    assert len(held_out) == 8 and not sides[0] & sides[1]


_text = st.text(st.characters() | st.sampled_from("\ud800 "), max_size=5)
_message = st.fixed_dictionaries({}, optional={"role": st.sampled_from(["user", "assistant", "system", "judge"]),
                                               "content": _text | st.none() | st.integers()})
_field = _text | st.none() | st.integers() | st.lists(_message | st.text(max_size=2), max_size=3)


@given(st.fixed_dictionaries({}, optional={name: _field for name in ("prompt", "messages", "chosen", "rejected")}))
def test_whatever_a_row_holds_it_is_a_pair_or_has_one_problem(row: dict[str, Any]) -> None:
    found = check([RawRow(1, row)], "preferences")
    assert len(found.rows) + len(found.problems) == 1
    json.dumps([found.rows, [asdict(one) for one in found.problems]], ensure_ascii=False).encode()
    for kept in found.rows:
        pair = preference_of(kept)
        assert pair.messages[-1][0] == "user" and pair.chosen.strip() != pair.rejected.strip()
        assert check([RawRow(1, kept)], "preferences").rows == [kept]


@given(st.lists(st.tuples(_text.filter(str.strip), _text.filter(str.strip)), min_size=1, max_size=3), _text, _text)
def test_a_conversation_with_two_endings_is_read_the_same_with_its_prompt_apart(
    turns: list[tuple[str, str]], chosen: str, rejected: str
) -> None:
    said = [{"role": role, "content": text} for turn in turns for role, text in zip(("user", "assistant"), turn,
                                                                                   strict=True)][:-1]
    endings = [{"role": "assistant", "content": text} for text in (chosen, rejected)]
    found = []
    for row in ({"chosen": [*said, endings[0]], "rejected": [*said, endings[1]]},
                {"prompt": said, "chosen": endings[:1], "rejected": endings[1:]}):
        try:
            found.append(preference_of(row))
        except BadRow as bad:
            found.append(bad.code)
    assert found[0] == found[1]
