"""The translate recipe: that it learns, ends in the same weights when killed, and saves what others can read."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
from ctranslate2.converters import TransformersConverter
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from transformers import AutoTokenizer, MarianMTModel

from models_service.formats.files import FormatError
from models_service.training.loop import train
from models_service.training.run_folder import RunFolder
from models_service.training.settings import TranslateSettings
from models_service.training.translate import Example, TranslateTask, _joined, batches_by_tokens
from models_service.training.vocabulary import Vocabulary, train_pieces, write_tokenizer
from tests.training.runs import kill_at, start, write_spec

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier"}
TINY = {
    "vocabulary_size": 100, "hidden_size": 32, "feed_forward_size": 64, "heads": 2, "encoder_layers": 1,
    "decoder_layers": 1, "precision": "float32", "joined_share": 0.0,
}


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every row of four numbers in two languages: a translation that a tiny model learns."""
    rows = [
        {"en": " ".join(numbers), "de": " ".join(NUMBERS[number] for number in numbers)}
        for numbers in itertools.product(NUMBERS, repeat=4)
    ]
    path = tmp_path_factory.mktemp("parallel") / "counting.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture(scope="module")
def trained(counting: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, dict[str, float]]:
    run = RunFolder(tmp_path_factory.mktemp("trained"))
    settings = TranslateSettings(
        data=[counting], evaluation=[counting], evaluation_limit=20, epochs=18, batch_tokens=200,
        learning_rate=1e-2, segmentation_alpha=0.0, dropout=0.0, averaging=0.9, label_smoothing=0.0, **TINY,
    )
    return run, train(TranslateTask(settings, run), settings, run)


def test_a_small_model_learns_to_count_in_both_directions(trained: tuple[RunFolder, dict[str, float]]) -> None:
    _, metrics = trained
    assert metrics.keys() == {"bleu de-en", "bleu en-de"}
    assert min(metrics.values()) > 90


def test_what_is_saved_names_its_pairs_and_translates_as_ctranslate2_does(
    trained: tuple[RunFolder, dict[str, float]], tmp_path: Path
) -> None:
    run, _ = trained
    pairs = json.loads((run.model / "translator.json").read_text())["pairs"]
    assert {"source": "en", "target": "de", "tag": ">>de<<"} in pairs
    tokenizer = AutoTokenizer.from_pretrained(run.model)
    model = MarianMTModel.from_pretrained(run.model, dtype=torch.float32)
    text = ">>de<< four two one three"
    ids = model.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=20)[0]
    written = tokenizer.decode(ids, skip_special_tokens=True)
    assert written == "vier zwei eins drei"
    converted = TransformersConverter(str(run.model)).convert(str(tmp_path / "converted"))
    tokens = tokenizer.convert_ids_to_tokens(tokenizer.encode(text))
    made = ctranslate2.Translator(converted).translate_batch([tokens])[0].hypotheses[0]
    assert tokenizer.decode(tokenizer.convert_tokens_to_ids(made), skip_special_tokens=True) == written


def test_decoding_starts_from_zero_as_marian_models_do(trained: tuple[RunFolder, dict[str, float]]) -> None:
    run, _ = trained
    weights = load_file(run.model / "model.safetensors")["model.shared.weight"]
    assert not weights[-1].any()
    assert weights[:-1].any(axis=1).all()


@pytest.mark.slow
def test_a_killed_translator_ends_in_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, counting: Path
) -> None:
    settings = {**TINY, "data": [str(counting)], "epochs": 2, "batch_tokens": 100, "checkpoint_seconds": 0.001}
    whole = write_spec(tmp_path / "whole", "translate", settings)
    assert start(whole).wait(timeout=120) == 0
    broken = write_spec(tmp_path / "broken", "translate", settings)
    kill_at(broken, [7])
    assert start(broken).wait(timeout=120) == 0
    expected, actual = (load_file(folder / "model" / "model.safetensors") for folder in (whole, broken))
    assert expected.keys() == actual.keys()
    for name, weights in expected.items():
        np.testing.assert_array_equal(actual[name], weights, err_msg=name)


def test_training_goes_on_from_a_finished_model(
    trained: tuple[RunFolder, dict[str, float]], counting: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "more")
    settings = TranslateSettings(
        data=[counting], evaluation=[counting], evaluation_limit=20, pairs=["en-de"], base=str(trained[0].model),
        epochs=1, batch_tokens=120, learning_rate=1e-4, averaging=0.0, precision="float32", joined_share=0.0,
    )
    assert train(TranslateTask(settings, run), settings, run)["bleu en-de"] > 90


def test_a_pair_that_the_data_lacks_is_named(tmp_path: Path, counting: Path) -> None:
    settings = TranslateSettings(data=[counting], pairs=["en-fr"], **TINY)
    with pytest.raises(FormatError, match="no pair en-fr; it has de-en, en-de"):
        TranslateTask(settings, RunFolder(tmp_path))


def test_joined_examples_are_sentences_of_one_direction_in_the_same_order_on_both_sides() -> None:
    single = [Example(f"s{i}.", f"t{i}.", 7, 3) for i in range(50)]
    made = _joined(single, TranslateSettings(data=[Path("x")], joined_share=2.0), "en", "zh", 200)
    assert len(made) == 100
    for example in made:
        sources, targets = example.source.split(" "), re.findall(r"t\d+\.", example.target)
        assert [part[1:] for part in sources] == [part[1:] for part in targets]
        assert 2 <= len(sources) <= 4
        assert " " not in example.target
        assert (example.tag, example.length) == (7, 3 * len(sources))


def test_the_drawn_segmentations_differ_and_spell_the_same_text(tmp_path: Path) -> None:
    texts = [f"{a}{b} {c}" for a in NUMBERS for b in NUMBERS for c in NUMBERS.values()]
    write_tokenizer(tmp_path, train_pieces(texts, 80, seed=1), ["de", "en"])
    vocabulary, rng = Vocabulary(tmp_path), random.Random(1)
    drawn = {tuple(vocabulary.source("threefour drei", rng, alpha=0.1)) for _ in range(20)}
    assert len(drawn) > 1
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert {tokenizer.decode(list(ids), skip_special_tokens=True) for ids in drawn} == {"threefour drei"}
    assert vocabulary.source("threefour drei") == tokenizer.encode("threefour drei")
    assert vocabulary.tag_id("fr") is None


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=200), most=st.integers(10, 200), seed=st.integers())
def test_batches_hold_every_example_once_and_no_more_tokens_than_allowed(
    lengths: list[int], most: int, seed: int
) -> None:
    batches = batches_by_tokens(lengths, most, random.Random(seed))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= most
