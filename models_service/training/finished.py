"""Puts a finished run's model into the registry, as a version that is not served yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models_service import admission
from models_service.model_files import CARD_FILE
from models_service.registry import versions_in
from models_service.training.run_folder import RunFolder


class Registered(BaseModel):
    name: str
    version: str


def register(run: RunFolder, spec: dict[str, Any], metrics: dict[str, float]) -> Registered:
    """The run's model under spec["register"]; the same version again when it has been registered before.

    A run that is cut off just after this comes here twice; its card tells by spec["card"]["run"].

    Raises:
        ModelMissing, ModelUnusable: it cannot be served.
    """
    versions = versions_in(Path(spec["register"]["folder"]))
    name = spec["register"]["name"]
    card = {"task": spec["task"], "metrics": metrics, **spec.get("card", {})}
    for version in versions.versions(name):
        file = versions.directory(name, version) / CARD_FILE
        if card.get("run") and file.is_file() and json.loads(file.read_text()).get("run") == card["run"]:
            return Registered(name=name, version=version)
    (run.model / CARD_FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    record = admission.register(versions, run.path, name)
    run.say(f"registered as {name}, version {record.version}; it is not served before it is promoted")
    return Registered(name=name, version=record.version)
