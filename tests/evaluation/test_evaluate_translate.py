"""`manage.py evaluate translate`: sacrebleu's own figures, and clear words for what cannot be evaluated."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
import sacrebleu
from django.core.management import call_command
from django.core.management.base import CommandError

from models_service.evaluation.translation import scores
from models_service.opening import load_translator
from models_service.translation_pairs import pairs_of
from tests.models_service.tiny_translator import save_tiny_translator

ROWS = [
    {"en": "Where is the nearest station?", "de": "Wo ist der nächste Bahnhof?", "zh": "最近的车站在哪里？"},
    {"en": "The train leaves at 7:45.", "de": "Der Zug fährt um 7:45 Uhr ab.", "zh": "火车七点四十五分出发。"},
    {"en": "She asked him.", "de": "Sie fragte ihn, ob er ihr helfen könne."},
    {"en": "It is cold.", "de": "Es ist kalt.", "fr": "Il fait froid."},
]
MADE = ["Wo ist der Bahnhof?", "Der Zug fährt um 7:45 Uhr.", "Sie fragte ihn.", "Kalt ist es."]


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_translator(tmp_path_factory.mktemp("tiny-translator"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "few.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()))
    return file


@pytest.fixture
def evaluate(settings, tmp_path: Path, translator: Path, data: Path):
    settings.DATA_DIR = tmp_path / "var"

    def run(*more: object, **options: object) -> dict:
        given = {"data": data, "model": translator, "source": "en", "target": "de"} | options
        out = StringIO()
        words = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
        call_command("evaluate", "translate", *words, *map(str, more), "--json", stdout=out)
        return json.loads(out.getvalue())

    return run


def test_the_figures_are_those_of_sacrebleu_on_the_same_texts() -> None:
    references = [row["de"] for row in ROWS]
    told = scores(MADE, references, "de")
    assert told.metrics["bleu"] == pytest.approx(sacrebleu.corpus_bleu(MADE, [references]).score, abs=1e-4)
    assert told.metrics["chrf"] == pytest.approx(sacrebleu.corpus_chrf(MADE, [references]).score, abs=1e-4)
    for name, (low, high) in told.intervals.items():
        assert 0 <= low < told.metrics[name] < high <= 100
    assert "tok:13a" in told.signatures["bleu"] and f"version:{sacrebleu.__version__}" in told.signatures["bleu"]


def test_chinese_is_compared_by_characters() -> None:
    references, made = ["最近的车站在哪里？", "火车七点四十五分出发。"], ["最近的车站在哪里？", "火车七点出发。"]
    told = scores(made, references, "zh")
    bleu = sacrebleu.corpus_bleu(made, [references], tokenize="zh").score
    assert told.metrics["bleu"] == pytest.approx(bleu, abs=1e-4)
    assert "tok:zh" in told.signatures["bleu"]


def test_the_command_reports_on_what_the_served_form_translates(evaluate, translator: Path, tmp_path: Path) -> None:
    report = evaluate()
    assert {"task", "model", "data", "n", "metrics", "intervals", "seconds"} <= report.keys()
    assert (report["task"], report["data"], report["n"]) == ("translate", "few.jsonl.gz", 4)
    assert report["metrics"].keys() == report["intervals"].keys() == {"bleu", "chrf"}
    assert "bleu nrefs:1" in report["signature"] and "chrf nrefs:1" in report["signature"]
    engine = load_translator(str(translator), tmp_path / "var" / "models")
    assert engine.form.startswith("ctranslate2")
    pair = next(pair for pair in pairs_of(translator) if pair.target == "de")
    made = [one.candidates[0].text for one in engine.run([pair.rewriting(row["en"]) for row in ROWS])]
    assert report["metrics"]["chrf"] == pytest.approx(
        sacrebleu.corpus_chrf(made, [[row["de"] for row in ROWS]]).score, abs=1e-4
    )
    assert evaluate(target="zh", limit=1)["n"] == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"source": None}, "needs --source"),
        ({"target": "fr"}, "No model translates en into fr; there are: en-de, de-en, en-zh"),
        ({"target": "it"}, "no line has both en and it; its languages: de, en, fr, zh"),
        ({"data": "no-such-file.jsonl"}, "not a file"),
        ({"data": __file__}, "line 1"),
        ({"model": "no-such-model"}, "no model named 'no-such-model'"),
        ({"length": "short"}, "takes no --length"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_sentence(evaluate, options: dict, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        evaluate(**options)


def test_an_empty_file_is_said(evaluate, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(CommandError, match="no line in it"):
        evaluate(data=tmp_path / "empty.jsonl")
