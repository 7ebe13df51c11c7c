"""A model's way in: registered with the samples of what it gives, and served only once it gives them again.

`python -m models_service.admission NAME` keeps the samples of a starter model, each time its weights are made anew.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_service import samples, version_files
from models_service.model_files import CARD_FILE, Kind, ModelMissing, ModelUnusable
from models_service.opening import loaded
from models_service.registry import STARTER, Model, Registry
from models_service.translation_pairs import tell_pairs
from models_service.versions import STARTER_VERSION, VersionRecord, Versions

if TYPE_CHECKING:
    from models_service.opening import AnyEngine

log = logging.getLogger(__name__)


def register(versions: Versions, source: Path, name: str, pairs: Sequence[str] = ()) -> VersionRecord:
    """Add the model in `source`, a model's directory or a finished run's folder, as a new version of `name`.

    Args:
        pairs: the directions that a translator offers, as in "en-de"; by default what its folder or its name says.

    Raises:
        ModelMissing, ModelUnusable: it is no model that can be served; nothing was registered.
    """
    run = source if (source / "spec.json").is_file() else source.parent
    folder = source / "model" if (source / "spec.json").is_file() else source

    def complete(copied: Path, kind: Kind) -> None:
        card = copied / CARD_FILE
        if not card.is_file() and (told := _card(run)):
            card.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if kind == "translator":
            tell_pairs(copied, pairs, (name, folder.name))
        engine = _load(Model(name, kind, str(copied)))
        try:
            samples.write(copied, kind, engine)
        finally:
            engine.close()

    return versions.register(folder, name, kind="translator" if pairs else None, complete=complete)


def bring_up(model: Model, versions: Versions | None = None) -> AnyEngine:
    """The model's engine, loaded, warm and checked against what was registered.

    Raises:
        ModelMissing, ModelUnusable: it cannot be served, or gives something else than when it was registered.
    """
    folder = model.directory()
    registered = versions is not None and folder == versions.directory(model.name, model.version)
    if registered:
        version_files.check_records(folder, versions.record(model.name, model.version).files)
    engine = _load(model, versions.folder if versions else None)
    try:
        if samples.check(_samples_folder(model, folder), model.kind, engine):
            log.info("%s, version %s, gives what it gave when it was registered", model.name, model.version)
        elif registered:
            raise ModelUnusable(f"The samples of {model.name}, version {model.version}, are missing.")
        engine.warm()
    except BaseException:
        engine.close()
        raise
    return engine


def _samples_folder(model: Model, folder: Path) -> Path:
    """Beside the weights; those of a starter model beside its card, for its weights may lie in a package."""
    return STARTER / model.kind if model.version == STARTER_VERSION else folder


def _load(model: Model, folder: Path | None = None) -> AnyEngine:
    """Whatever the libraries say of files that are no weights is one kind of trouble here."""
    try:
        return loaded(model, folder)
    except (ModelMissing, ModelUnusable):
        raise
    except Exception as problem:
        raise ModelUnusable(f"{model.name} cannot be loaded: {type(problem).__name__}: {problem}") from problem


def _card(run: Path) -> dict[str, Any]:
    """What a run's folder tells of its model: what was asked for and what was measured last."""
    try:
        spec = json.loads((run / "spec.json").read_text(encoding="utf-8"))
        lines = (run / "events.jsonl").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    measured = [event["metrics"] for line in lines if (event := json.loads(line)).get("metrics")]
    settings = {
        key: [Path(file).name for file in value] if key in ("data", "first") else value
        for key, value in spec["settings"].items() if key != "evaluation"
    }
    evaluation = spec["settings"].get("evaluation")
    return {
        "task": spec["task"], "metrics": measured[-1] if measured else {},
        "measured_on": Path(evaluation).name if evaluation else None, "settings": settings,
    }


def main(name: str) -> None:
    model = Registry().version(name, STARTER_VERSION)
    engine = _load(model)
    samples.write(_samples_folder(model, model.directory()), model.kind, engine)


if __name__ == "__main__":
    main(sys.argv[1])
