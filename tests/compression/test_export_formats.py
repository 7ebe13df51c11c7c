"""Versions as ONNX and CTranslate2 files: what other software computes with them is what the model itself gives."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import onnxruntime
import pytest
import torch
from transformers import AutoTokenizer

from models_service import export_onnx, samples
from models_service.export import export
from models_service.model_files import ModelUnusable
from models_service.opening import loaded
from models_service.registry import Model
from tests.models_service.tiny_reader import save_tiny_reader
from tests.models_service.tiny_translator import save_tiny_translator


@pytest.fixture
def reader(tmp_path: Path) -> Model:
    save_tiny_reader(tmp_path / "tiny", seed=1)
    return Model("tiny", "reader", str(tmp_path / "tiny"), "v1")


def test_a_reader_s_onnx_file_gives_its_logits_for_any_number_and_length_of_texts(
    reader: Model, tmp_path: Path
) -> None:
    export(reader, tmp_path / "out", "onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    model = loaded(reader)._model
    for texts in (["Who?"], ["Who lives there?", "Where does the river rise, and where does it end?", "?"]):
        given = tokenizer(texts, ["Ada lives in Lima."] * len(texts), padding=True, return_tensors="np")
        starts, ends = session.run(["start_logits", "end_logits"], {k: v.astype(np.int64) for k, v in given.items()})
        with torch.inference_mode():
            wanted = model(**{name: torch.from_numpy(values) for name, values in given.items()})
        seen = given["attention_mask"].astype(bool)
        np.testing.assert_allclose(starts[seen], wanted.start_logits.float().numpy()[seen], atol=0.05)
        np.testing.assert_allclose(ends[seen], wanted.end_logits.float().numpy()[seen], atol=0.05)
    assert not list(tmp_path.glob(".*"))


def test_an_encoder_s_onnx_file_gives_the_vectors_that_the_site_uses(tiny_base: Path, tmp_path: Path) -> None:
    encoder = Model("tiny", "encoder", str(tiny_base), "v1")
    export(encoder, tmp_path / "out", "onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    texts = list(samples.TEXTS[:3])
    given = tokenizer(texts, padding=True, return_tensors="np", return_token_type_ids=True)
    vectors = session.run(["embedding"], {name: values.astype(np.int64) for name, values in given.items()})[0]
    wanted = np.stack(loaded(encoder).run(texts))
    assert ((vectors * wanted).sum(1) > 0.999).all()


def test_an_onnx_file_that_gives_something_else_is_not_kept(reader: Model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(export_onnx, "MOST_DIFFERENCE", -1.0)
    with pytest.raises(ModelUnusable, match="another start_logits"):
        export(reader, tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()


def test_a_translator_is_converted_for_ctranslate2_and_translates(tmp_path: Path) -> None:
    model = Model("tiny", "translator", str(save_tiny_translator(tmp_path / "tiny")), "v1")
    export(model, tmp_path / "out", "ctranslate2")
    translator = ctranslate2.Translator(str(tmp_path / "out"), device="cpu")
    assert translator.translate_batch([["a", "b"]], max_decoding_length=3)[0].hypotheses
    assert list((tmp_path / "out").glob("*.spm"))


def test_a_kind_that_a_format_has_no_place_for_is_refused(reader: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="as ctranslate2 are written: translator, encoder"):
        export(reader, tmp_path / "out", "ctranslate2")
    assert not (tmp_path / "out").exists()
