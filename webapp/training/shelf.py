"""The registered models as pages and programs list them: each version with its size, figures and lineage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from models_service import model_files, version_files
from models_service.compression.methods import methods_for
from models_service.export_formats import formats_for
from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import Registry
from models_service.translation_pairs import pairs_of
from models_service.versions import STARTER_VERSION
from webapp.training import subjects
from webapp.training.models import DatasetVersion, DataTask

LINEAGE = ("base", "data", "settings", "code", "run", "source", "compression", "privacy")
"""What a card says of where a version comes from."""


@dataclass
class Version:
    name: str
    version: str
    kind: str
    served: str
    bytes: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    lineage: dict[str, Any] = field(default_factory=dict)
    task: str = ""
    """That makes and measures such models."""

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


    @property
    def formats(self) -> list[str]:
        """In which it can be exported."""
        return formats_for(self.kind)

    @property
    def can_be_compressed(self) -> bool:
        return bool(methods_for(self.kind))


def trained_on(version: Version | None) -> DatasetVersion | None:
    """None when its data set is gone, or when its card, which may come from elsewhere, names none of this site."""
    try:
        return DatasetVersion.objects.filter(pk=version.lineage["data"]["id"]).first() if version else None
    except (KeyError, TypeError, ValueError, ValidationError):
        return None


def directions(version: Version) -> list[tuple[str, str]]:
    """(source, target) languages of a translator; none of another model."""
    if version.kind != "translator":
        return []
    folder = subjects.registry().version(version.name, version.version).directory()
    return [(pair.source, pair.target) for pair in pairs_of(folder)]


def names() -> list[str]:
    return subjects.registry().names()


def versions(name: str) -> list[Version]:
    """The newest first, the starter last; those whose files are gone are left out."""
    registry = subjects.registry()
    registered = registry.versions.versions(name) if registry.versions else []
    found = [_version(registry, name, version) for version in [*registered[::-1], STARTER_VERSION]]
    return [one for one in found if one is not None]


def _version(registry: Registry, name: str, version: str) -> Version | None:
    try:
        model, live = registry.version(name, version), registry.live(name)
        folder, task = model.directory(), subjects.task_of(model)
    except (ModelMissing, ModelUnusable):
        return None
    served = "current" if version == live.current else "previous" if version == live.previous else ""
    card = model_files.card(folder)
    return Version(name, version, model.kind, served, version_files.size_of(folder), model_files.figures(folder),
                   {key: card[key] for key in LINEAGE if key in card}, task)


def can_roll_back(name: str) -> bool:
    return subjects.registry().live(name).previous is not None


def task_name(task: str) -> str:
    return str(DataTask(task).label) if task in DataTask.values else task
