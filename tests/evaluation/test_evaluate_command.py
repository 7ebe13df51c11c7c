"""`manage.py evaluate` and `calibrate` on a few questions, with the starter models."""

from __future__ import annotations

import gzip
import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from models_service.registry import CALIBRATION_FILE, STARTER
from qa.confidence import FIGURES_FILE

TEXTS = {
    "The Eiffel Tower is 330 metres tall. It was finished in 1889 as the entrance of the World's Fair.": [
        ("How tall is the Eiffel Tower?", "330 metres"), ("When was the Eiffel Tower finished?", "1889"),
    ],
    "The Golden Gate Bridge opened in 1937. The colour of the bridge is called international orange.": [
        ("When did the Golden Gate Bridge open?", "1937"),
        ("What is the colour of the Golden Gate Bridge called?", "international orange"),
    ],
}


@pytest.fixture
def squad_file(tmp_path: Path) -> Path:
    paragraphs = []
    for number, (context, questions) in enumerate(TEXTS.items()):
        qas = [
            {"id": f"{number}-{i}", "question": question,
             "answers": [{"text": answer, "answer_start": context.index(answer)}]}
            for i, (question, answer) in enumerate(questions)
        ]
        paragraphs.append({"context": context, "qas": qas})
    path = tmp_path / "few.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"data": [{"title": "few", "paragraphs": paragraphs}]}).encode()))
    return path


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command(*map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_evaluate_qa_prints_one_object_of_the_promised_shape(squad_file: Path) -> None:
    report = run("evaluate", "qa", "--data", squad_file)
    assert report.keys() == {"task", "model", "data", "n", "metrics", "intervals", "seconds"}
    assert (report["task"], report["data"], report["n"]) == ("qa", "few.json.gz", 4)
    assert report["metrics"].keys() == report["intervals"].keys() == {"em", "f1"}
    low, high = report["intervals"]["f1"]
    assert low <= report["metrics"]["f1"] <= high
    assert report["metrics"]["f1"] > 50, "the starter reader reads these"


def test_evaluate_openqa_asks_each_question_of_all_paragraphs(squad_file: Path) -> None:
    metrics = run("evaluate", "openqa", "--data", squad_file, "--limit", 3)["metrics"]
    assert metrics["recall@1"] <= metrics["recall@5"] == metrics["recall@20"] == 1.0
    assert {"em", "f1", "abstained", "citation_precision", "seconds_per_question"} <= metrics.keys()
    assert 0 <= metrics["abstained"] <= 1 and metrics["seconds_per_question"] > 0


def test_the_readable_table_holds_the_same_figures(squad_file: Path) -> None:
    out = StringIO()
    call_command("evaluate", "qa", "--data", str(squad_file), "--limit", "2", stdout=out)
    assert "2 examples" in out.getvalue() and "95 % interval" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--data", "no-such-file.json"], "not a file"),
        (["--data", __file__], "not UTF-8 JSON"),
        (["--model", "no-such-model"], "no model named 'no-such-model'"),
        (["--limit", "0"], "at least 1"),
        (["--target", "de"], "takes no --target"),
        (["--length", "0"], "number of words"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_sentence(squad_file: Path, arguments: list[str], complaint) -> None:
    given = arguments if "--data" in arguments else ["--data", str(squad_file), *arguments]
    with pytest.raises(CommandError, match=complaint):
        call_command("evaluate", "qa", *given)


def test_calibrate_writes_what_the_reader_is_then_served_with(squad_file: Path, tmp_path: Path) -> None:
    few = json.loads(gzip.decompress(squad_file.read_bytes()))
    for paragraph in few["data"][0]["paragraphs"]:
        paragraph["qas"] *= 6  # a quarter is asked with its paragraph taken away, and comes out wrong
    squad_file.write_bytes(gzip.compress(json.dumps(few).encode()))
    reader = tmp_path / "reader"
    shutil.copytree(STARTER / "reader", reader)
    (reader / CALIBRATION_FILE).unlink(missing_ok=True)
    result = run("calibrate", "--model", reader, "--data", squad_file, "--limit", 24)
    written = json.loads((reader / CALIBRATION_FILE).read_text())
    assert result["calibration"] == written and result["questions"] == 24
    assert "margin" in written["weights"]
    assert result["confidence"] is None and not (reader / FIGURES_FILE).exists(), "two texts only"
    assert run("evaluate", "openqa", "--data", squad_file, "--model", reader)["n"] == 24
