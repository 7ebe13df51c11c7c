"""Perplexity: the same figure as a plain loop over the same weights, and the command that tells it."""

from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from transformers import AutoModelForCausalLM, AutoTokenizer

from models_service.evaluation import perplexity
from models_service.formats.corpus import Document

TEXTS = ["A collection is a set of documents.", "The answer shows where it comes from.", "x"]
LONG = "A collection may be private or shared. Documents are read in by the worker. " * 5


@pytest.fixture(scope="module")
def plain(small_generator: Path):
    model = AutoModelForCausalLM.from_pretrained(small_generator).eval()
    return model, AutoTokenizer.from_pretrained(small_generator)


def losses(plain, text: str) -> list[float]:
    """transformers' own loss, one call for each token of a text that fits into one window."""
    model, tokenizer = plain
    ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
    with torch.inference_mode():
        whole = model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        shares = model(input_ids=ids).logits[0].log_softmax(-1)
    each = [-shares[place, token].item() for place, token in enumerate(ids[0, 1:])]
    assert sum(each) == pytest.approx(whole, rel=1e-4)
    return each


def test_the_figures_are_those_of_a_plain_loop_and_weigh_every_token_alike(plain) -> None:
    expected = [loss for text in TEXTS for loss in losses(plain, text)]
    scored = perplexity.score(*plain, [Document(text) for text in TEXTS])
    assert sum(one.tokens for one in scored) == len(expected)
    found = perplexity.metrics(scored)
    assert found["cross_entropy"] == pytest.approx(sum(expected) / len(expected), rel=1e-4)
    assert found["perplexity"] == pytest.approx(math.exp(found["cross_entropy"]))


@pytest.mark.parametrize(("context", "stride"), [(16, 4), (16, 15), (32, 24)])
def test_windows_measure_each_token_of_a_long_text_once_with_what_stands_before_it(plain, context, stride) -> None:
    model, tokenizer = plain
    ids = [*tokenizer(LONG)["input_ids"], tokenizer.eos_token_id]
    expected = 0.0
    for place in range(1, len(ids)):
        begin = stride * max(0, math.ceil((place + 1 - context) / stride))  # of the first window that reaches it
        with torch.inference_mode():
            shares = model(input_ids=torch.tensor([ids[begin:place]])).logits[0, -1].log_softmax(-1)
        expected -= shares[ids[place]].item()
    [scored] = perplexity.score(model, tokenizer, [Document(LONG)], context=context, stride=stride)
    assert scored.tokens == len(ids) - 1 > 2 * context
    assert scored.nats == pytest.approx(expected, rel=1e-3)


def test_intervals_hold_the_figure_and_widen_with_fewer_texts(plain) -> None:
    scored = perplexity.score(*plain, [Document(text) for text in TEXTS[:2] * 8])
    low, high = perplexity.intervals(scored)["cross_entropy"]
    assert low <= perplexity.metrics(scored)["cross_entropy"] <= high
    narrow = perplexity.intervals(scored * 8)["cross_entropy"]
    assert narrow[1] - narrow[0] < high - low


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command("evaluate", "perplexity", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    return file


def test_the_command_prints_one_object_of_the_promised_shape(texts: Path, small_generator: Path, plain) -> None:
    report = run("--data", texts, "--model", small_generator, "--limit", 2)
    assert {"task", "model", "data", "n", "metrics", "intervals", "seconds"} <= report.keys()
    assert (report["task"], report["n"]) == ("perplexity", 2)
    assert report["metrics"].keys() == report["intervals"].keys() == {"cross_entropy", "perplexity"}
    expected = [loss for text in TEXTS[:2] for loss in losses(plain, text)]
    assert report["metrics"]["cross_entropy"] == pytest.approx(sum(expected) / len(expected), abs=1e-3)


def test_without_a_name_the_served_generator_is_measured(texts: Path, small_generator: Path, settings) -> None:
    settings.GENERATOR = str(small_generator)
    assert run("--data", texts)["metrics"]["perplexity"] > 1


def test_without_any_generator_the_command_says_what_to_do(texts: Path) -> None:
    with pytest.raises(CommandError, match="no text generator is served here. Name one with --model"):
        run("--data", texts)


@pytest.mark.parametrize(("content", "complaint"), [("", "no text in it"), ('{"text": 3}', "line 1")])
def test_data_that_cannot_be_measured_is_said_in_one_sentence(
    tmp_path: Path, small_generator: Path, content: str, complaint: str
) -> None:
    (tmp_path / "bad.jsonl").write_text(content)
    with pytest.raises(CommandError, match=complaint):
        run("--data", tmp_path / "bad.jsonl", "--model", small_generator)
    with pytest.raises(CommandError, match="of kind reader"):
        run("--data", __file__, "--model", "wenda-reader")
