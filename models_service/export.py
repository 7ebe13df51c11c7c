"""A version as a folder that other software reads: safetensors with adapters merged, ONNX, or CTranslate2's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import AutoTokenizer

from models_service import model_files, samples, version_files
from models_service.engines.causal_files import read_causal
from models_service.engines.classifier import read_classifier
from models_service.engines.reader import make_types_alike, read_model
from models_service.export_formats import FORMATS
from models_service.model_files import CALIBRATION_FILE, CARD_FILE, FORM_FILE, SAMPLES_FILE, Kind, ModelUnusable
from models_service.opening import open_engine
from models_service.registry import Model


def export(model: Model, target: Path, form: str = "safetensors") -> None:
    """Write the model to `target`, a folder that is not there yet. It is checked to give what the original gives.

    Args:
        form: one of FORMATS; for CTranslate2 in 8 bits.

    Raises:
        ModelMissing, ModelUnusable: the model cannot be read, or the export gives something else.
        FileExistsError: there is something at `target`.
    """
    source = model.directory()
    target.mkdir(parents=True)
    try:
        if model.kind not in FORMATS[form]:
            raise ModelUnusable(f"{model.label} is a model of kind {model.kind}; as {form} are written: "
                                f"{', '.join(FORMATS[form])}.")
        if form == "onnx":
            from models_service.export_onnx import write_onnx  # brings ONNX Runtime with it

            write_onnx(model, target)
        elif form == "ctranslate2":
            from models_service.export_ctranslate2 import write_ctranslate2

            write_ctranslate2(model, target)
        else:
            write_whole(source, model.kind, target)
            _compare(model, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def write_whole(source: Path, kind: Kind, target: Path) -> None:
    """A copy in `target`, a folder that is there and empty; with an adapter, what it makes of its base."""
    if model_files.adapter_base(source) is None:
        version_files.copy(source, target)
    else:
        _write_merged(source, kind, target)


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
    for name in (CALIBRATION_FILE, CARD_FILE, FORM_FILE, "README.md"):
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
