"""A version as a plain model directory that any library reads: adapters merged into their base, all safetensors."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import AutoTokenizer

from models_service import model_files, samples, version_files
from models_service.engines.causal_files import read_causal
from models_service.engines.classifier import read_classifier
from models_service.engines.reader import make_types_alike, read_model
from models_service.model_files import CALIBRATION_FILE, CARD_FILE, SAMPLES_FILE, Kind, ModelUnusable
from models_service.opening import open_engine
from models_service.registry import Model


def export(model: Model, target: Path) -> None:
    """Write the model to `target`, a folder that is not there yet. It is checked to give what the original gives.

    Raises:
        ModelMissing, ModelUnusable: the model cannot be read, or the export gives something else.
        FileExistsError: there is something at `target`.
    """
    source = model.directory()
    target.mkdir(parents=True)
    try:
        if model_files.adapter_base(source) is None:
            version_files.copy(source, target)
        else:
            _write_merged(source, model.kind, target)
        _compare(model, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _write_merged(source: Path, kind: Kind, target: Path) -> None:
    if kind == "generator":
        merged = read_causal(source)
    elif kind == "classifier":
        merged = read_classifier(source)
    else:
        merged = read_model(source)
        make_types_alike(merged)
    merged.save_pretrained(target)
    AutoTokenizer.from_pretrained(model_files.tokenizer_folder(source)).save_pretrained(target)
    for name in (CALIBRATION_FILE, CARD_FILE, "README.md"):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _compare(model: Model, target: Path) -> None:
    original = open_engine(model)
    original.load()
    exported = open_engine(Model(model.name, model.kind, str(target)))
    exported.load()
    try:
        samples.write(target, model.kind, original)
        samples.check(target, model.kind, exported)
    except ModelUnusable as problem:
        raise ModelUnusable(f"The export of {model.label} differs from it: {problem}") from None
    finally:
        original.close()
        exported.close()
        (target / SAMPLES_FILE).unlink(missing_ok=True)
