"""`manage.py evaluate summarize` on a few texts, with the starter summarizer."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from models_service.evaluation import summary_baselines as baselines
from models_service.words import count_words

TEXT = (
    "The council decided on Monday to build a new bridge over the strait. The weather was fine. The old bridge over "
    "the strait is to be closed because its cables have rusted. Ann Lee was glad. The bridge will cost 300 million."
)
SUMMARIES = ["The council decided to build a new bridge over the strait.", "A bridge for 300 million."]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"id": "a", "text": TEXT, "summaries": SUMMARIES}, {"id": "b", "text": "One.", "summary": "One."},
            {"id": "c", "text": "这座桥于1973年开通。天气很好。", "summaries": ["这座桥于1973年开通。"]}]
    path = tmp_path / "few.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command("evaluate", "summarize", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_summaries_are_as_long_as_the_first_reference_and_measured_with_intervals(data: Path) -> None:
    report = run("--data", data, "--length", "reference", "--baselines")
    assert (report["task"], report["model"], report["n"]) == ("summarize", "wenda-summarizer", 3)
    assert report["metrics"].keys() == {"rouge1", "rouge2", "rougeL", "rougeLsum", "words"}
    for name, (low, high) in report["intervals"].items():
        assert low <= report["metrics"][name] <= high
    assert report["metrics"]["rouge1"] > 60
    assert report["baselines"].keys() == {"lead", "random", "textrank", "oracle"}
    assert report["baselines"]["oracle"]["metrics"]["rouge1"] >= report["metrics"]["rouge1"]
    alone = run("--data", data)
    assert "baselines" not in alone and alone["metrics"] == report["metrics"], "the reference's length is the default"


def test_a_number_of_words_makes_summaries_longer(data: Path) -> None:
    few, many = (run("--data", data, "--length", words, "--limit", 1)["metrics"]["words"] for words in (10, 40))
    assert few < many <= 45


@pytest.mark.parametrize(("line", "complaint"), [
    ("", "no line in it"), ('{"text": "a"}', 'line 1: "summaries"'), ('{"summaries": ["a"]}', 'line 1: "text"'),
    ('{"text": " ", "summaries": ["a"]}', '"text"'), ('{"text": "a", "summaries": []}', '"summaries"'),
    ('{"text": "a", "summaries": [7]}', '"summaries"'), ("{", "line 1: not UTF-8 JSON"),
])
def test_a_file_of_another_format_is_refused_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line)
    with pytest.raises(CommandError, match=complaint):
        run("--data", path)


def test_a_length_that_is_none_is_wrong_use(data: Path) -> None:
    with pytest.raises(CommandError, match="neither of reference"):
        run("--data", data, "--length", "huge")


def test_baselines_take_whole_sentences_in_order_about_as_long_as_wanted() -> None:
    sentences = [f"Sentence number {number} speaks of the bridge over the strait." for number in range(10)]
    for baseline in (baselines.lead, baselines.drawn, baselines.textrank):
        chosen = baseline(sentences, 30)
        assert chosen == [sentence for sentence in sentences if sentence in chosen]
        assert 25 <= sum(map(count_words, chosen)) <= 35
    assert baselines.lead(sentences, 30) == sentences[:3]
    assert baselines.drawn(sentences, 30) == baselines.drawn(sentences, 30)


def test_the_oracle_finds_the_sentences_that_the_reference_was_made_of() -> None:
    sentences = ["It rained all day.", "The bridge was closed in March.", "Birds sang.", "Its cables had rusted."]
    assert baselines.oracle(sentences, ["The bridge was closed in March. Its cables had rusted."]) == [
        sentences[1], sentences[3]
    ]
