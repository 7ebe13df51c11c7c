"""The sequence-to-sequence engine: what plain transformers gives, in every form; conversions that are whole or not
there; and texts of which nothing is lost."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from models_service import translation_samples
from models_service.engines import conversions, seq2seq_choice, seq2seq_ctranslate2
from models_service.engines.rewriting import Rewriting
from models_service.engines.seq2seq import Seq2SeqEngine
from models_service.engines.seq2seq_forms import Source
from models_service.model_files import ModelUnusable
from tests.models_service.tiny_translator import LINES, save_tiny_translator

ENGLISH = [line for line in LINES if line.isascii()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_translator(tmp_path_factory.mktemp("tiny-translator"))


@pytest.fixture(scope="module")
def original(folder: Path) -> Seq2SeqEngine:
    engine = Seq2SeqEngine("tiny", folder)
    engine.load()
    return engine


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("converted")


@pytest.fixture(scope="module")
def fast(folder: Path, cache: Path) -> Seq2SeqEngine:
    engine = Seq2SeqEngine("tiny", folder, cache)
    engine.load()
    return engine


def _german(text: str, **more) -> Rewriting:
    return Rewriting(text, ">>de<<", **more)


def test_batches_give_what_plain_generate_gives_for_each_text_alone(original: Seq2SeqEngine, folder: Path) -> None:
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = original.run([_german(text, n_best=2) for text in ENGLISH])
    for text, rewritten in zip(ENGLISH, found, strict=True):
        inputs = tokenizer(f">>de<< {text}", return_tensors="pt")
        [[piece]] = original.split([_german(text)])
        assert list(piece.source.ids) == inputs["input_ids"][0].tolist()
        out = model.generate(
            **inputs, num_beams=4, num_return_sequences=2, max_new_tokens=piece.source.most, min_new_tokens=1,
            early_stopping=True, suppress_tokens=original._tokens.never_written, renormalize_logits=True,
            return_dict_in_generate=True, output_scores=True, forced_eos_token_id=None,
        )
        expected = tokenizer.batch_decode(out.sequences, skip_special_tokens=True)
        assert rewritten.candidates[0].text == expected[0]
        assert rewritten.candidates[0].score == pytest.approx(float(out.sequences_scores[0]), abs=1e-3)


def test_a_score_is_the_mean_log_probability_of_what_is_written(
    original: Seq2SeqEngine, fast: Seq2SeqEngine
) -> None:
    for engine in (original, fast):
        sources = [piece.source for pieces in engine.split([_german(text) for text in ENGLISH]) for piece in pieces]
        found = [hypotheses[0] for hypotheses in engine._form.search(sources, beam=4, n_best=1)]
        ended = [(source, one) for source, one in zip(sources, found, strict=True) if one.finished]
        assert ended
        again = engine._form.score([source for source, _ in ended], [[*one.ids, 0] for _, one in ended])
        np.testing.assert_allclose([one.score for _, one in ended], again, atol=0.1)


def test_the_fast_form_is_chosen_and_gives_nearly_what_the_original_gives(
    original: Seq2SeqEngine, fast: Seq2SeqEngine, folder: Path
) -> None:
    # Processors without instructions for 8 bits sum them with saturation: there the random weights come out too
    # different, and the next form is taken.
    assert fast.form in ("ctranslate2 int8", "ctranslate2 float32") and original.form == "transformers float32"
    samples = translation_samples.made(folder, original.run)
    assert translation_samples.difference(samples, original.run).scored < 1e-4
    assert translation_samples.difference(samples, fast.run).small


def test_an_unquantized_conversion_writes_the_same_texts(original: Seq2SeqEngine, folder: Path, cache: Path) -> None:
    kept = conversions.place(cache, folder)
    converted = seq2seq_ctranslate2.converted(folder, kept, "float32")
    form = seq2seq_ctranslate2.CTranslate2Form(
        converted, "cpu", "float32", original._tokens.never_written, original._tokens.end, 1024
    )
    for begin in (None, original._tokens.token("T")):  # as of models that begin with their language's token
        sources = [
            Source(piece.source.ids, begin, 20)
            for pieces in original.split([_german(text) for text in ENGLISH]) for piece in pieces
        ]
        for beam in (1, 3):
            ours, theirs = form.search(sources, beam, 1), original._form.search(sources, beam, 1)
            equal = [one[0].ids == other[0].ids for one, other in zip(ours, theirs, strict=True)]
            assert sum(equal) >= len(equal) - 1, "one near tie may fall either way"
        targets = [[*one[0].ids, 0] for one in ours]
        np.testing.assert_allclose(form.score(sources, targets), original._form.score(sources, targets), atol=5e-3)


def test_the_choice_is_remembered_and_nothing_is_converted_again(
    fast: Seq2SeqEngine, folder: Path, cache: Path, monkeypatch
) -> None:
    monkeypatch.setattr(seq2seq_ctranslate2._Converter, "convert", lambda *_, **__: pytest.fail("converted again"))
    monkeypatch.setattr(seq2seq_choice, "TransformersForm", lambda *_: pytest.fail("the original was loaded"))
    engine = Seq2SeqEngine("tiny", folder, cache)
    engine.load()
    assert engine.form == fast.form
    inputs = [_german(text) for text in ENGLISH]
    assert engine.run(inputs) == fast.run(inputs)


def test_a_conversion_that_fails_leaves_the_original_and_a_line_in_the_log(
    folder: Path, tmp_path: Path, monkeypatch, caplog
) -> None:
    def fail(*_, **__):
        raise ValueError("No conversion is registered for this")

    monkeypatch.setattr(seq2seq_ctranslate2._Converter, "convert", fail)
    engine = Seq2SeqEngine("tiny", folder, tmp_path)
    with caplog.at_level(logging.WARNING):
        engine.load()
    assert engine.form == "transformers float32"
    assert "CTranslate2 cannot: ValueError: No conversion is registered" in caplog.text
    assert engine.run([_german(ENGLISH[0])])[0].candidates[0].text
    assert not list(tmp_path.glob("*/.new-*"))


def test_a_form_that_gives_something_else_does_not_serve(folder: Path, tmp_path: Path, monkeypatch, caplog) -> None:
    other = save_tiny_translator(tmp_path / "other", seed=1)
    wrong = seq2seq_ctranslate2.converted(other, tmp_path / "wrong", "float32")
    monkeypatch.setattr(seq2seq_ctranslate2, "converted", lambda *_: wrong)
    engine = Seq2SeqEngine("tiny", folder, tmp_path / "cache")
    with caplog.at_level(logging.INFO):
        engine.load()
    assert engine.form == "transformers float32"
    assert "scores differ by" in caplog.text and "differs too much from the original" in caplog.text


def test_other_weights_are_converted_anew(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    assert conversions.place(tmp_path, other) == conversions.place(tmp_path, folder)
    (other / "translator.json").write_text('{"pairs": []}')
    assert conversions.place(tmp_path, other) == conversions.place(tmp_path, folder)
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    assert conversions.place(tmp_path, other) != conversions.place(tmp_path, folder)


KILLED_WHILE_CONVERTING = """
import os, signal, sys
from pathlib import Path
from models_service.engines import seq2seq_ctranslate2 as form
whole = form._Converter.convert
def convert(self, output, **settings):
    whole(self, output, **settings)
    (Path(output) / "model.bin").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
form._Converter.convert = convert
form.converted(Path(sys.argv[1]), Path(sys.argv[2]), "int8")
"""


def test_a_killed_conversion_leaves_nothing_half_made(folder: Path, tmp_path: Path) -> None:
    kept = conversions.place(tmp_path, folder)
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_CONVERTING, str(folder), str(kept)],
                            cwd=Path(__file__).parents[2], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-500:]
    assert [left.name[:5] for left in kept.iterdir() if left.is_dir()] == [".new-"]
    engine = Seq2SeqEngine("tiny", folder, tmp_path)
    engine.load()
    assert engine.form.startswith("ctranslate2 ")
    assert not list(kept.glob(".new-*"))


def test_a_model_whose_padding_is_not_as_the_converter_takes_it_is_computed_as_saved(folder: Path) -> None:
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    seq2seq_ctranslate2._check_padding(model)
    with torch.no_grad():
        model.get_input_embeddings().weight[model.config.pad_token_id] += 1
    with pytest.raises(seq2seq_ctranslate2.NotConverted, match="vector of zeros"):
        seq2seq_ctranslate2._check_padding(model)


def test_special_tokens_that_a_text_spells_out_stay_text(original: Seq2SeqEngine) -> None:
    tokens = original._tokens
    for text in ("Where is </s> the station?", ">>zh<< Where is the station?", "<pad> <unk> >>de<<"):
        ids, _ = tokens.source(text)
        assert not {tokens.end, tokens.token("<pad>"), tokens.token(">>zh<<"), tokens.token(">>de<<")} & set(ids)
    ids, unknown = tokens.source("Is it 12 ℃ in Ωmsk? 12 ℃!")
    assert unknown == "℃Ω" or set("Ω") <= set(unknown)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from(list("abcde ,.;!?äü车站。，😀")), max_size=120), st.integers(2, 12))
def test_nothing_of_a_long_text_is_lost_between_its_pieces(original: Seq2SeqEngine, text: str, room: int) -> None:
    ids, _ = original._tokens.source(text)
    pieces = original._tokens.pieces(ids, room)
    assert [id_ for piece in pieces for id_ in piece] == ids
    assert all(1 <= len(piece) <= room for piece in pieces)


def test_a_long_text_is_read_in_pieces_that_are_joined_again(original: Seq2SeqEngine) -> None:
    long = " ".join(ENGLISH * 3)
    [whole] = original.run([_german(long)])
    [glued] = original.run([_german(long, glue="")])
    assert whole.pieces > 1 and glued.pieces == whole.pieces
    assert whole.candidates[0].text.replace(" ", "") == glued.candidates[0].text.replace(" ", "")
    [short] = original.run([_german(ENGLISH[0], longest=3)])
    assert short.cut or len(short.candidates[0].text) < 30


def test_a_tag_that_the_model_does_not_have_is_refused(original: Seq2SeqEngine) -> None:
    with pytest.raises(ModelUnusable, match="no token '>>fr<<'"):
        original.run([Rewriting("Hello.", ">>fr<<")])


def test_the_beam_is_the_one_that_the_folder_names(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "wide")
    file = tmp_path / "wide" / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"num_beams": 6}))
    engine = Seq2SeqEngine("tiny", tmp_path / "wide")
    engine.load()
    [[piece]] = engine.split([_german("Hello.")])
    [[narrow]] = engine.split([_german("Hello.", beam_size=2, n_best=3)])
    assert (piece.beam, narrow.beam, narrow.n_best) == (6, 3, 3)
