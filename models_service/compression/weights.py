"""A version's weights as one whole model in a folder, in memory, and written back to that folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from models_service.engines.classifier import read_classifier
from models_service.engines.reader import read_model
from models_service.export import write_whole
from models_service.model_files import FORM_FILE, Form, Kind
from models_service.registry import Model


def copy_whole(model: Model, folder: Path) -> None:
    """All that the version needs in a new folder, an adapter merged into its base; not what a person reads of the
    original, which is another model."""
    folder.mkdir(parents=True)
    write_whole(model.directory(), model.kind, folder)
    (folder / "README.md").unlink(missing_ok=True)


def read(folder: Path, kind: Kind) -> PreTrainedModel:
    """In float32, ready to compute."""
    if kind == "reader":
        model = read_model(folder)
    elif kind == "classifier":
        model = read_classifier(folder)
    else:
        model = (AutoModelForSequenceClassification if kind == "reranker" else AutoModel).from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32)
    return model.eval()


def write(model: PreTrainedModel, folder: Path) -> None:
    """In place of the weights and the configuration that lie there."""
    for pattern in ("*.safetensors", "*.safetensors.index.json"):
        for old in folder.glob(pattern):
            old.unlink()
    model.save_pretrained(folder)


def tell_form(folder: Path, form: Form) -> None:
    """The version in `folder` is to be computed in this form."""
    (folder / FORM_FILE).write_text(json.dumps({"form": form}) + "\n", encoding="utf-8")
