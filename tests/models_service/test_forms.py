"""Forms of encoder and reader: 8 bits agree, the fastest is measured once and remembered, what fails is left out."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from models_service import samples
from models_service.engines import conversions, forms, int8
from models_service.engines.encoder import EncoderEngine
from models_service.engines.forms import Body
from models_service.engines.reading import Reading
from models_service.model_files import ModelUnusable
from models_service.opening import load_reader, open_engine
from models_service.registry import ENCODER, READER, Registry

TEXTS = [
    "When was the bridge opened?", "a", "The tower was finished in 1889 by the company of Gustave Eiffel.",
    "The river rises in the Black Forest and runs through ten countries. " * 20, "桥是什么时候开通的？",
]
PASSAGE = "The bridge over the strait was opened to traffic in October 1973, fifty years after the republic began."


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("converted")


def _open(name: str, converted: Path | None, form: str | None = None):
    engine = open_engine(Registry(forms={name: form} if form else {}).find(name), converted)
    engine.load()
    return engine


def test_vectors_in_8_bits_agree_with_those_in_float32_and_are_made_from_less_memory(converted: Path) -> None:
    exact, small = _open(ENCODER, converted, "float32"), _open(ENCODER, converted, "int8")
    assert (exact.form, small.form) == ("float32", "int8")
    assert float((np.stack(exact.run(TEXTS)) * np.stack(small.run(TEXTS))).sum(axis=1).min()) > 0.99
    [file] = converted.glob("*/int8/model.bin")
    original = Registry().find(ENCODER).directory() / "model.safetensors"
    assert file.stat().st_size < 0.4 * original.stat().st_size
    singly = np.stack([small.run([text])[0] for text in TEXTS])
    np.testing.assert_allclose(np.stack(small.run(TEXTS)), singly, atol=0.02)


def test_a_reader_in_8_bits_finds_what_it_finds_in_float32(converted: Path) -> None:
    readings = [Reading("When was the bridge opened?", PASSAGE),
                Reading("How many years after the republic?", "So it was. " * 150 + PASSAGE)]
    exact, small = _open(READER, converted, "float32"), _open(READER, converted, "int8")
    assert small.form == "int8"
    for one, other in zip(exact.run(readings), small.run(readings), strict=True):
        assert (one[0].text, one[0].start) == (other[0].text, other[0].start)
        assert one[0].score == pytest.approx(other[0].score, abs=1.0)


def test_a_reader_takes_8_bits_only_when_it_is_told_to(tmp_path: Path) -> None:
    assert _open(READER, tmp_path).form != "int8"
    assert not list(tmp_path.glob("*/")), "nothing was converted"


def test_the_fastest_form_is_measured_once_and_remembered(tmp_path: Path, monkeypatch, caplog) -> None:
    taken = {"float32": 3.0, "bfloat16": 2.0, "int8": 1.0}
    measured = []

    def seconds(self: Body) -> float:
        measured.append(self.form)
        return taken[self.form]

    monkeypatch.setattr(Body, "_seconds", lambda self, work: seconds(self))
    with caplog.at_level(logging.INFO):
        assert _open(ENCODER, tmp_path).form == "int8"
    assert measured[0] == "float32" and measured[-1] == "int8"
    assert "agrees 0.99" in caplog.text and "int8 1000" in caplog.text
    assert _open(ENCODER, tmp_path).form == "int8" and len(measured) == len(set(measured)), "measured once"
    [choice] = tmp_path.glob("*/choice-*.json")
    choice.write_text('{"form": "of another version"}')
    assert _open(ENCODER, tmp_path).form == "int8" and json.loads(choice.read_text()) == {"form": "int8"}


def test_float32_stays_where_it_is_the_fastest(tmp_path: Path, monkeypatch, caplog) -> None:
    exact = _open(ENCODER, None, "float32").run(TEXTS)
    monkeypatch.setattr(Body, "_seconds", lambda self, work: 1.0 if self.form == "float32" else 2.0)
    engine = _open(ENCODER, tmp_path)
    assert engine.form == "float32" and "cannot" not in caplog.text
    np.testing.assert_array_equal(np.stack(engine.run(TEXTS)), np.stack(exact))


def test_a_form_that_does_not_agree_or_cannot_be_made_is_not_served(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setitem(forms.LEAST_AGREEMENT, "int8", 0.99999)
    assert _open(ENCODER, tmp_path, "int8").form == "float32"
    assert "computes in float32, for it cannot in int8" in caplog.text

    def broken(*_: object) -> None:
        raise RuntimeError("no such conversion")

    monkeypatch.setattr(int8, "converted", broken)
    engine = _open(ENCODER, tmp_path / "other", "int8")
    assert engine.form == "float32" and "RuntimeError: no such conversion" in caplog.text
    assert np.linalg.norm(engine.run(["still works"])[0]) == pytest.approx(1, abs=1e-5)


def test_without_a_place_to_keep_it_nothing_is_converted() -> None:
    assert _open(ENCODER, None, "int8").form == "float32"


def test_the_setting_holds_for_commands_that_compute_without_the_service(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WENDA_MODEL_FORMS", f"{ENCODER}=int8, {READER}=float32")
    assert load_reader(folder=tmp_path).form == "float32"
    assert not list(tmp_path.glob(".converted/*/")), "nothing else was tried"
    monkeypatch.setenv("WENDA_MODEL_FORMS", f"{READER}=float64")
    with pytest.raises(ModelUnusable, match="WENDA_MODEL_FORMS=wenda-reader=float64: write NAME=FORM"):
        load_reader(folder=tmp_path)


def test_only_what_computes_in_8_bits_may_differ_as_8_bits_do(converted: Path, tmp_path: Path, monkeypatch) -> None:
    small = _open(ENCODER, converted, "int8")
    samples.write(tmp_path, "encoder", _open(ENCODER, converted, "float32"))
    assert samples.check(tmp_path, "encoder", small)
    monkeypatch.setattr(EncoderEngine, "form", "float32")
    with pytest.raises(ModelUnusable, match="agrees only 0.99"):
        samples.check(tmp_path, "encoder", small)


def test_what_was_made_of_a_model_that_is_gone_or_changed_is_removed_when_another_is_opened(tmp_path: Path) -> None:
    models, cache = [tmp_path / "one", tmp_path / "two"], tmp_path / "cache"
    for model in models:
        model.mkdir()
        (model / "model.safetensors").write_text(model.name)

    def opened(model: Path) -> Path:
        kept = conversions.place(cache, model)
        conversions.remember(kept, "int8")
        return kept

    def there() -> set[Path]:
        return {place for place in cache.iterdir() if place.is_dir()}

    one, two = map(opened, models)
    assert there() == {one, two} and opened(models[0]) == one
    (models[0] / "README.md").write_text("A model.")
    assert opened(models[0]) == one and conversions.remembered(one) == "int8"
    (models[0] / "model.safetensors").write_text("other weights")
    changed = opened(models[0])
    assert changed != one and there() == {changed, two}
    shutil.rmtree(models[1])
    opened(models[0])
    assert there() == {changed} and [file.stem for file in cache.glob("*.json")] == [changed.name]
