"""What pruning takes out: by hand on small models, and that plain transformers reads what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForQuestionAnswering, BertConfig, BertForQuestionAnswering, BertModel

from models_service.compression import importance, magnitude
from models_service.compression.making import Wanted, make, texts
from models_service.compression.methods import METHODS, methods_for, needs_data
from models_service.model_files import ModelUnusable
from models_service.registry import Model
from models_service.training.run_folder import RunFolder
from tests.models_service.tiny_reader import save_tiny_reader

IDS = {"input_ids": torch.tensor([[5, 9, 2, 7], [3, 1, 4, 1]])}


def tiny(layers: int = 2) -> BertForQuestionAnswering:
    torch.manual_seed(1)
    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=layers, num_attention_heads=2,
                        intermediate_size=32)
    return BertForQuestionAnswering(config).eval()


def loss(model: BertForQuestionAnswering) -> torch.Tensor:
    out = model(**IDS)
    return -(out.start_logits.log_softmax(-1)[:, 2] + out.end_logits.log_softmax(-1)[:, 3]).mean()


def test_exactly_the_smallest_weights_of_all_matrices_together_become_zero() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[0.1, -0.2], [5.0, -6.0]]))
        model[1].weight.copy_(torch.tensor([[0.3, 4.0], [-0.4, 7.0]]))
    before = [one.bias.clone() for one in model]
    magnitude.prune(model, 0.375)
    assert model[0].weight.tolist() == [[0.0, 0.0], [5.0, -6.0]]
    assert model[1].weight[0, 0] == 0 and model[1].weight[1, 0].item() == pytest.approx(-0.4)
    assert magnitude.sparsity(model) == 0.375
    assert all(torch.equal(one.bias, bias) for one, bias in zip(model, before, strict=True))


def test_weights_that_are_equal_are_not_all_taken() -> None:
    model = torch.nn.Linear(4, 4)
    torch.nn.init.constant_(model.weight, 0.5)
    magnitude.prune(model, 0.5)
    assert magnitude.sparsity(model) == 0.5


def test_zeros_stay_zero_while_the_rest_is_trained() -> None:
    model = tiny(1)
    magnitude.prune(model, 0.5)
    zeros = [weight == 0 for weight in magnitude.matrices(model)]
    before = [weight.clone() for weight in magnitude.matrices(model)]
    magnitude.keep_zeros(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(3):
        loss(model).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    for weight, was_zero, was in zip(magnitude.matrices(model), zeros, before, strict=True):
        assert bool((weight[was_zero] == 0).all()) and not torch.equal(weight, was)


def test_importance_by_gradients_is_what_silencing_a_neuron_does_to_the_loss() -> None:
    """A mask of one number a neuron: its derivative at 1, row by row, is the first-order effect of taking it away."""
    model = tiny(1)
    found = importance.by_gradients(model, [lambda: loss(model)])
    expected = torch.zeros(32)
    for row in range(2):
        mask = torch.ones(32, requires_grad=True)
        inner = model.bert.encoder.layer[0].intermediate
        handle = inner.register_forward_hook(lambda _m, _g, out, mask=mask: out * mask)
        out = model(input_ids=IDS["input_ids"][row : row + 1])
        (-(out.start_logits.log_softmax(-1)[0, 2] + out.end_logits.log_softmax(-1)[0, 3])).backward()
        handle.remove()
        expected += mask.grad.abs()
    torch.testing.assert_close(found.neurons[0], expected, rtol=1e-4, atol=1e-7)
    assert all(weight.grad is None for weight in model.parameters())


def test_without_a_loss_neurons_that_are_silent_or_not_heard_matter_nothing() -> None:
    model = BertModel(tiny(2).config).eval()
    layer = model.encoder.layer[0]
    with torch.no_grad():
        layer.output.dense.weight[:, 3] = 0.0  # says nothing to what follows
        layer.intermediate.dense.weight[7], layer.intermediate.dense.bias[7] = 0.0, 0.0  # gelu(0) is 0
    found = importance.by_activations(model, [{"input_ids": row[None]} for row in IDS["input_ids"]])
    assert found.neurons[0][[3, 7]].tolist() == [0.0, 0.0]
    assert (found.neurons[0] > 0).sum() == 30 and bool((found.neurons[1] > 0).all())
    assert bool((found.layers > 0).all())


@pytest.fixture
def reader(tmp_path: Path) -> Model:
    save_tiny_reader(tmp_path / "reader", seed=1)
    return Model("tiny", "reader", str(tmp_path / "reader"), "v1")


def made(model: Model, folder: Path, method: str, data: tuple[Path, ...] = (), **settings: object) -> RunFolder:
    run = RunFolder(folder)
    make(Wanted(method, METHODS[method].settings(**settings), model, data), run)
    return run


def test_a_pruned_reader_is_smaller_and_is_read_by_plain_transformers(
    reader: Model, tmp_path: Path, squad_file: Path
) -> None:
    run = made(reader, tmp_path / "run", "prune", (squad_file,), share=0.5, drop_layers=1, examples=16)
    config = json.loads((run.model / "config.json").read_text())
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (1, 32)
    small = AutoModelForQuestionAnswering.from_pretrained(run.model)
    assert small.bert.encoder.layer[0].intermediate.dense.weight.shape == (32, 32)
    figures = json.loads((run.path / "made.json").read_text())
    assert figures["parameters"] == sum(one.numel() for one in small.parameters())
    before = AutoModelForQuestionAnswering.from_pretrained(reader.source)
    layer = sum(one.numel() for one in before.bert.encoder.layer[0].parameters())
    assert sum(one.numel() for one in before.parameters()) - figures["parameters"] == layer + 32 * (32 + 1 + 32)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (run.model, Path(reader.source))]
    assert sizes[0] < sizes[1]
    made(reader, tmp_path / "run", "prune", (squad_file,), share=0.1)  # done already: left as it is
    assert json.loads((run.model / "config.json").read_text()) == config


def test_a_thinned_reader_learns_again_and_its_zeros_stay(reader: Model, tmp_path: Path, squad_file: Path) -> None:
    run = made(reader, tmp_path / "run", "magnitude", (squad_file,), sparsity=0.6, recovery_epochs=1, max_steps=3)
    small = AutoModelForQuestionAnswering.from_pretrained(run.model)
    assert magnitude.sparsity(small) == pytest.approx(0.6, abs=1e-3)
    untrained = AutoModelForQuestionAnswering.from_pretrained(reader.source)
    magnitude.prune(untrained, 0.6)
    changed = [not torch.equal(one, other) for one, other in
               zip(magnitude.matrices(small), magnitude.matrices(untrained), strict=True)]
    assert any(changed) and not (run.path / "whole").exists()


def test_what_cannot_be_done_is_said_and_leaves_no_model(reader: Model, tmp_path: Path, squad_file: Path) -> None:
    with pytest.raises(ModelUnusable, match="at most 1 can go"):
        made(reader, tmp_path / "all", "prune", (squad_file,), drop_layers=2)
    translator = Model("t", "translator", reader.source, "v1")
    with pytest.raises(ModelUnusable, match="magnitude is for reader, encoder"):
        made(translator, tmp_path / "other", "magnitude")
    assert not list(tmp_path.glob("*/model")) and not list(tmp_path.glob("*/made.json"))


def test_importance_takes_the_longest_text_of_each_row_or_the_lines_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "A long text."}\n{"n": 3}\n', encoding="utf-8")
    (tmp_path / "b.txt").write_text("One line.\n\n  Another. \n", encoding="utf-8")
    assert list(texts([tmp_path / "a.jsonl", tmp_path / "b.txt"])) == ["A long text.", "One line.", "Another."]


def test_each_kind_is_offered_what_can_be_done_with_it() -> None:
    assert methods_for("reader") == ["quantize", "prune", "magnitude", "distil"]
    assert methods_for("encoder") == ["quantize", "prune", "magnitude"]
    assert methods_for("classifier") == ["prune", "magnitude"] and methods_for("generator") == []
    assert not needs_data("magnitude", METHODS["magnitude"].settings())
    assert needs_data("magnitude", METHODS["magnitude"].settings(recovery_epochs=1))
