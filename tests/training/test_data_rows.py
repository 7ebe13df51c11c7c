"""Data files of any task: rows are found, checked, mended or listed, and split so that no text is on both sides."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.formats import splits
from models_service.formats.checking import Checked, check
from models_service.formats.overlap import exact
from models_service.formats.raw_rows import FileRefused, rows_of, unpacked
from models_service.formats.squad import read_squad


def checked(text: str, name: str = "data.json", task: str = "qa") -> Checked:
    return check(rows_of(text, name), task)


def squad(context: str, *answers: tuple[str, int], title: str = "") -> str:
    told = [{"text": text, "answer_start": start} for text, start in answers]
    asked = [{"id": "1", "question": "Where?", "answers": told}]
    return json.dumps({"data": [{"title": title, "paragraphs": [{"context": context, "qas": asked}]}]})


def codes(found: Checked) -> list[tuple[int, str, str, bool]]:
    return [(one.row, one.field, one.code, one.kept) for one in found.problems]


def test_an_answer_at_its_place_is_taken_as_it_is() -> None:
    found = checked(squad("She lives in Oslo.", ("Oslo", 13)))
    assert found.rows[0]["answers"] == [{"text": "Oslo", "answer_start": 13}] and not found.problems


@pytest.mark.parametrize("stated", [12, 14, 0, 99, -3])
def test_an_answer_that_is_not_at_its_place_is_moved_there_and_told(stated: int) -> None:
    found = checked(squad("She lives in Oslo.", ("Oslo", stated)))
    assert found.rows[0]["answers"] == [{"text": "Oslo", "answer_start": 13}]
    assert codes(found) == [(1, "answers[1]", "moved", True)]


def test_of_an_answer_that_stands_twice_the_nearest_place_is_meant() -> None:
    found = checked(squad("Oslo, and once more Oslo.", ("Oslo", 19)))
    assert found.rows[0]["answers"][0]["answer_start"] == 20


def test_an_answer_that_is_nowhere_in_the_context_takes_its_row_out() -> None:
    found = checked(squad("She lives in Oslo.", ("Rome", 13)))
    assert not found.rows and codes(found) == [(1, "answers", "not_in_text", False)]


def test_unicode_is_brought_to_one_form_and_offsets_go_with_it() -> None:
    decomposed = "Cafe\u0301 Oslo"
    found = checked(squad(decomposed, ("Oslo", decomposed.index("Oslo"))))
    row = found.rows[0]
    assert row["context"] == "Café Oslo" and row["answers"][0]["answer_start"] == 5
    assert found.normalised == 1 and not found.problems


def test_the_ways_to_write_answers_down_are_all_read() -> None:
    base = {"question": "Where?", "context": "She lives in Oslo."}
    rows = [
        {**base, "answers": {"text": ["Oslo"], "answer_start": [13]}}, {**base, "answer": "Oslo", "id": 2},
        {**base, "question": "Now?", "answers": ["Oslo"]}, {**base, "question": "Never?", "answers": [], "x": 1},
        {**base, "question": "No?", "is_impossible": True},
    ]
    found = checked("\n".join(map(json.dumps, rows)), "data.jsonl")
    assert [len(row["answers"]) for row in found.rows] == [1, 1, 0, 0]
    assert codes(found) == [(2, "", "duplicate", False)]


def test_csv_rows_are_read_by_their_header_with_whichever_separator() -> None:
    for separator in ",;\t":
        text = separator.join(("question", "context", "answer")) + f'\nWhere?{separator}"In Oslo"{separator}Oslo\n'
        assert checked(text, "data.csv").rows[0]["answers"] == [{"text": "Oslo", "answer_start": 3}]


def test_a_bad_line_of_json_lines_costs_that_line_only() -> None:
    found = checked('{"en": "Go.", "de": "Geh."}\n{"en": broken\n{"en": "Stop."}', "data.jsonl", "translate")
    assert found.rows == [{"de": "Geh.", "en": "Go."}]
    assert [(one.row, one.code) for one in found.problems] == [(2, "not_json"), (3, "no_languages")]


def test_summaries_and_chats_are_read_and_their_faults_named() -> None:
    found = checked('[{"text": "Long.", "summary": "S"}, {"text": "Long too."}, 7]', task="summarize")
    assert found.rows[0]["summaries"] == ["S"] and [one.code for one in found.problems] == ["missing", "no_object"]
    chat = [{"prompt": "Hi", "response": "Hello"}, {"messages": [{"role": "robot", "content": "x"}]},
            {"messages": [{"role": "user", "content": "x"}]}]
    found = checked(json.dumps(chat), task="chat")
    assert found.rows[0]["messages"][1] == {"role": "assistant", "content": "Hello"}
    assert [(one.field, one.code) for one in found.problems] == [
        ("messages[1].role", "no_role"), ("messages", "no_assistant")]


@pytest.mark.parametrize(("text", "name", "code"), [
    ("hello", "data.txt", "unknown_format"), ("{", "data.json", "not_json"), ("[" * 100_000, "data.json", "not_json"),
    ("one\n1", "data.csv", "no_columns"), ("x" * 4_100_000, "data.csv", "bad_csv"),
])
def test_a_file_without_rows_is_refused_with_its_reason(text: str, name: str, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        checked(text, name)
    assert refused.value.code == code


def test_gzip_is_unpacked_and_what_claims_too_much_is_refused(tmp_path: Path) -> None:
    good, bomb, cut, empty = (tmp_path / name for name in ("good", "bomb", "cut", "empty"))
    good.write_bytes(gzip.compress(b"[1]") + gzip.compress(b" "))
    bomb.write_bytes(gzip.compress(bytes(210_000_000), 9))
    cut.write_bytes(gzip.compress(b"x" * 1000)[:-9])
    empty.write_bytes(b"  \n")
    assert unpacked(good) == b"[1] "
    for file, code in ((bomb, "too_large"), (cut, "cut_gzip"), (empty, "empty")):
        with pytest.raises(FileRefused) as refused:
            unpacked(file)
        assert refused.value.code == code


def test_a_place_without_end_and_half_a_character_are_told_in_words_that_can_be_written() -> None:
    found = checked('[{"context": "In Oslo.", "question": "Where?", "answers": [{"text": "Oslo", "answer_start": '
                    'Infinity}, {"text": "\\ud800", "answer_start": 0}]}]')
    assert found.rows[0]["answers"] == [{"text": "Oslo", "answer_start": 3}]
    assert [(one.code, one.detail) for one in found.problems] == [("not_in_text", "\N{REPLACEMENT CHARACTER}")]


_any = st.characters() | st.sampled_from("\ud800\udfff")
_json = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(_any, max_size=8),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                         st.sampled_from(["question", "context", "answers", "text", "messages", "data", "en", "de",
                                          "prompt", "chosen", "rejected"])
                         | st.text(_any, max_size=4), inner, max_size=4), max_leaves=12)


@settings(deadline=None, max_examples=60)
@given(_json, st.sampled_from(["qa", "translate", "summarize", "chat", "preferences"]))
def test_whatever_json_comes_each_row_is_kept_or_has_its_problem(values: object, task: str) -> None:
    try:
        found = checked(json.dumps([values]), task=task)
    except FileRefused:
        return
    assert found.read == len(found.rows) + sum(not one.kept for one in found.problems)
    json.dumps([found.rows, [asdict(one) for one in found.problems]], ensure_ascii=False).encode()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=2, max_size=60),
       st.floats(0.05, 0.5), st.integers(0, 5))
def test_no_text_stands_on_both_sides_and_no_row_is_lost(pairs: list, share: float, seed: int) -> None:
    rows = [{"id": str(i), "title": f"t{t}", "context": f"c{c}", "question": str(i), "answers": []}
            for i, (c, t) in enumerate(pairs)]
    train, held_out = splits.split(rows, "qa", share, seed)
    assert sorted(int(row["id"]) for row in train + held_out) == list(range(len(rows)))
    assert exact(held_out, train, "qa") == 0 and train
    assert splits.split(rows, "qa", share, seed) == (train, held_out)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=2, max_size=60), st.integers(1, 59),
       st.floats(0.05, 0.5))
def test_what_was_learned_is_never_held_out_later(pairs: list, first: int, share: float) -> None:
    rows = [{"id": str(i), "title": f"t{t}", "context": f"c{c}", "question": str(i), "answers": []}
            for i, (c, t) in enumerate(pairs)]
    train, held_out = splits.split(rows[:first], "qa", share, 1)
    before = {row["context"]: side for side, side_rows in ((False, train), (True, held_out)) for row in side_rows}
    later, held_later = splits.split(rows, "qa", share, 1, before)
    assert sorted(int(row["id"]) for row in later + held_later) == list(range(len(rows)))
    assert exact(held_later, later, "qa") == exact(held_later, train, "qa") == 0
    assert splits.split(rows[:first], "qa", share, 1, before) == (train, held_out)


def test_new_documents_make_up_the_share_that_is_held_out() -> None:
    rows = [{"context": f"c{n}", "question": str(n), "answers": []} for n in range(40)]
    train, held_out = splits.split(rows[:10], "qa", 0.2, 1)
    for count in range(11, 41):  # one at a time
        before = {row["context"]: side for side, side_rows in ((False, train), (True, held_out)) for row in side_rows}
        train, held_out = splits.split(rows[:count], "qa", 0.2, 1, before)
        assert abs(len(held_out) - 0.2 * count) <= 0.5
    anew, held_anew = splits.split(rows, "qa", 0.5, 1, {"c0": False, "c1": False})
    assert len(held_anew) == 20 and {"c0", "c1"} <= {row["context"] for row in anew}


def test_what_is_written_for_a_recipe_is_read_by_it(tmp_path: Path) -> None:
    rows = checked(squad("She lives in Oslo.", ("Oslo", 13), title="Towns")).rows
    splits.write(rows, "qa", tmp_path / "train.json")
    (question,) = read_squad(tmp_path / "train.json")
    assert (question.title, question.answers) == ("Towns", (("Oslo", 13),))


def test_a_histogram_counts_every_length_once() -> None:
    bars = splits.histogram([1, 1, 50, 700])
    assert sum(bar["count"] for bar in bars) == 4 and bars[0]["from"] == 1 and bars[-1]["to"] > 700
    assert splits.histogram([]) == []
