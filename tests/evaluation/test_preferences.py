"""Preferred answers, measured: against log-probabilities summed by hand, and through the command."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command

from models_service.engines.causal_files import read_causal, read_tokenizer
from models_service.evaluation.preferences import score
from models_service.formats.preferences import Preference, read_preferences

ROWS = [{"id": "a", "prompt": "When was it opened?", "chosen": "The bridge was opened in 1973.", "rejected": "No."},
        {"id": "b", "prompt": "Where is it?", "chosen": "In.", "rejected": "A tower of iron stands in the park."},
        {"id": "c", "prompt": "Why? " * 300, "chosen": "So.", "rejected": "Because."}]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)))
    return file


def mean_by_hand(folder: Path, row: Preference, answer: str) -> float:
    """Of the answer's tokens, in the chat template of the tests' generator."""
    model, tokenizer = read_causal(folder).eval(), read_tokenizer(folder)
    asked = tokenizer(f"<|user|>{row.messages[0][1]}<|end|><|assistant|>")["input_ids"]
    said = tokenizer(f"{answer}<|end|>")["input_ids"]
    with torch.inference_mode():
        logs = model(input_ids=torch.tensor([asked + said])).logits[0].log_softmax(-1)
    return sum(logs[len(asked) + place - 1, token].item() for place, token in enumerate(said)) / len(said)


def test_the_likelier_answer_is_told_token_by_token(pairs: Path, tiny_generator: Path) -> None:
    rows, kept = read_preferences(pairs), []
    values = score(read_causal(tiny_generator).eval(), read_tokenizer(tiny_generator), rows, keep=kept.append)
    margins = [mean_by_hand(tiny_generator, row, row.chosen) - mean_by_hand(tiny_generator, row, row.rejected)
               for row in rows[:2]]
    assert values["margin"] == pytest.approx(margins, rel=1e-3)
    assert values["accuracy"] == [float(margin > 0) for margin in margins]
    assert [one["id"] for one in kept] == ["a", "b", "c"] and kept[0]["accuracy"] == values["accuracy"][0]
    assert kept[1]["given"] == (rows[1].chosen if margins[1] > 0 else rows[1].rejected)
    assert kept[2]["accuracy"] is None and kept[2]["given"] == ""  # it does not fit


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command("evaluate", "preferences", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_tells_share_and_margin_with_intervals(pairs: Path, tiny_generator: Path, settings) -> None:
    report = run("--data", pairs, "--model", tiny_generator)
    assert (report["task"], report["n"]) == ("preferences", 3)
    assert report["metrics"].keys() == report["intervals"].keys() == {"accuracy", "margin"}
    low, high = report["intervals"]["margin"]
    assert low <= report["metrics"]["margin"] <= high
    assert "left out, as they do not fit the model: 1" in report["signature"]
    settings.GENERATOR = str(tiny_generator)
    assert run("--data", pairs, "--limit", 2)["n"] == 2


def test_what_cannot_be_measured_is_said(pairs: Path, tiny_generator: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Preferences are measured of a causal language model"):
        run("--data", pairs)
    only_long = tmp_path / "long.jsonl"
    only_long.write_text(json.dumps(ROWS[2]))
    with pytest.raises(CommandError, match="no pair fits the model, which reads 256 tokens"):
        run("--data", only_long, "--model", tiny_generator)
    (tmp_path / "bad.jsonl").write_text('{"prompt": "A?", "chosen": "B."}')
    with pytest.raises(CommandError, match='row 1, "rejected": missing'):
        run("--data", tmp_path / "bad.jsonl", "--model", tiny_generator)
