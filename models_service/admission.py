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

from models_service import model_files, samples
from models_service.engines.base import reading_weights
from models_service.model_files import CARD_FILE, Form, Kind, ModelUnusable
from models_service.registry import STARTER, Model, Registry, conversions, open_engine
from models_service.translation_pairs import tell_pairs
from models_service.versions import STARTER_VERSION, VersionRecord, Versions

if TYPE_CHECKING:
    from models_service.engines.causal import CausalEngine
    from models_service.engines.classifier import ClassifierEngine
    from models_service.engines.encoder import EncoderEngine
    from models_service.engines.extractive import ExtractiveEngine
    from models_service.engines.reader import ReaderEngine
    from models_service.engines.reranker import RerankerEngine
    from models_service.engines.seq2seq import Seq2SeqEngine

    AnyEngine = (
        EncoderEngine | ReaderEngine | RerankerEngine | ExtractiveEngine | Seq2SeqEngine | CausalEngine
        | ClassifierEngine
    )

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
            samples.write(copied, kind, samples.run_of(engine, kind))
        finally:
            engine.close()

    return versions.register(folder, name, kind="translator" if pairs else None, complete=complete)


def bring_up(model: Model, versions: Versions | None = None, form: Form | None = None) -> AnyEngine:
    """The model's engine, loaded, warm and checked against what was registered.

    Args:
        form: see `open_engine`.

    Raises:
        ModelMissing, ModelUnusable: it cannot be served, or gives something else than when it was registered.
    """
    folder = model.directory()
    registered = versions is not None and folder == versions.directory(model.name, model.version)
    if registered:
        model_files.check_records(folder, versions.record(model.name, model.version).files)
    engine = _load(model, conversions(versions.folder) if versions else None, form)
    try:
        if samples.check(_samples_folder(model, folder), model.kind, samples.run_of(engine, model.kind)):
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


def _load(model: Model, converted: Path | None = None, form: Form | None = None) -> AnyEngine:
    """Whatever the libraries say of files that are no weights is one kind of trouble here."""
    engine = open_engine(model, converted, form)
    try:
        with reading_weights:
            engine.load()
    except ModelUnusable:
        raise
    except Exception as problem:
        raise ModelUnusable(f"{model.name} cannot be loaded: {type(problem).__name__}: {problem}") from problem
    return engine


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
    samples.write(_samples_folder(model, model.directory()), model.kind, samples.run_of(engine, model.kind))


if __name__ == "__main__":
    main(sys.argv[1])
