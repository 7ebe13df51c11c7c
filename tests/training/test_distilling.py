"""A reader made smaller: which layers and neurons it keeps, and that it learns from the larger one and is served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering

from models_service.engines.reader import ReaderEngine
from models_service.training.loop import train
from models_service.training.qa import QaTask
from models_service.training.run_folder import RunFolder
from models_service.training.settings import DISTILLING_RATE, QaSettings
from models_service.training.shrinking import shrink
from tests.models_service.tiny_reader import save_tiny_reader

IDS = {"input_ids": torch.tensor([[5, 9, 2, 7]])}


def tiny(layers: int) -> BertForQuestionAnswering:
    torch.manual_seed(1)
    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=layers, num_attention_heads=2,
                        intermediate_size=32)
    return BertForQuestionAnswering(config).eval()


def test_neurons_that_do_nothing_are_the_first_to_go() -> None:
    model = tiny(2)
    for layer in model.bert.encoder.layer:
        idle = torch.randperm(32)[:16]
        with torch.no_grad():
            layer.output.dense.weight[:, idle] = 0.0
    small = shrink(model, 2, 0.5)
    assert small.config.intermediate_size == 16
    torch.testing.assert_close(small(**IDS).start_logits, model(**IDS).start_logits)


def test_layers_are_kept_evenly_spaced_and_the_last_one_always() -> None:
    model = tiny(6)
    layers = [layer.output.dense.bias for layer in model.bert.encoder.layer]
    for number, bias in enumerate(layers):
        torch.nn.init.constant_(bias, number)
    for wanted, kept in ((3, [1, 3, 5]), (1, [5]), (6, [0, 1, 2, 3, 4, 5]), (4, [1, 2, 3, 5])):
        small = shrink(model, wanted, 1.0)
        assert [int(layer.output.dense.bias[0]) for layer in small.bert.encoder.layer] == kept
    with pytest.raises(ValueError, match="1 to 6"):
        shrink(model, 7, 1.0)


def test_a_distilled_reader_is_smaller_learns_and_is_measured_beside_its_teacher(
    tmp_path: Path, squad_file: Path
) -> None:
    save_tiny_reader(tmp_path / "teacher", seed=1)
    run = RunFolder(tmp_path / "run")
    settings = QaSettings(
        base=str(tmp_path / "teacher"), data=[squad_file], evaluation=squad_file, method="distil", feed_forward=0.5,
        batch_size=16, precision="float32", max_length=64, stride=16, epochs=3, evaluation_limit=8,
    )
    assert settings.learning_rate == DISTILLING_RATE
    train(QaTask(settings, run), settings, run)
    events = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    losses = [event["loss"] for event in events if "loss" in event]
    assert losses[-1] < losses[0]
    told = next(event["result"]["compressed"] for event in events if "result" in event)
    assert told["after"]["parameters"] < told["before"]["parameters"]
    assert told["before"].keys() == told["after"].keys() == {"parameters", "em", "f1", "milliseconds"}
    served = ReaderEngine.at("small", run.model)
    served.load()
    config = json.loads((run.model / "config.json").read_text())
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (1, 32)
    assert served.read_pairs([("Where does Ada live?", "Ada lives in Lima.")])[0]


def test_an_encoder_without_a_head_has_nothing_to_teach(tmp_path: Path, tiny_base: Path, squad_file: Path) -> None:
    settings = QaSettings(base=str(tiny_base), data=[squad_file], method="distil")
    with pytest.raises(ValueError, match="only a reader can be distilled"):
        QaTask(settings, RunFolder(tmp_path / "run"))
