"""A model's engine, opened and loaded: which engine its kind takes. Imports an engine when it is asked for."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from models_service.engines.base import reading_weights
from models_service.registry import READER, TRANSLATOR, Model, named_or_directory

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

CONVERTED = ".converted"
_importing = threading.Lock()


def open_engine(model: Model, converted: Path | None = None) -> AnyEngine:
    """The model's engine, not yet loaded.

    Args:
        converted: where faster forms of models are kept, and which is fastest here; without it a model is computed as
            it was saved, in float32 or bfloat16.

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

            return EncoderEngine(model.name, folder, Choice(model.form, converted))
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

            return Seq2SeqEngine(model.name, folder, None if model.form == "float32" else converted)
        from models_service.engines.reader import ReaderEngine

        return ReaderEngine.at(model.name, folder, Choice(model.form, converted))


def loaded(model: Model, folder: Path | None = None) -> AnyEngine:
    """The model's engine, loaded. `folder` holds the registry, and in it other forms of its models.

    Raises:
        ModelMissing, ModelUnusable
    """
    engine = open_engine(model, folder / CONVERTED if folder else None)
    with reading_weights:
        engine.load()
    return engine


def load_reader(name: str = READER, folder: Path | None = None) -> ReaderEngine:
    """A reader by name or by directory, loaded. Raises ModelMissing, ModelUnusable."""
    return loaded(named_or_directory(name, "reader", folder), folder)


def load_translator(name: str = TRANSLATOR, folder: Path | None = None) -> Seq2SeqEngine:
    """A translator by name or by directory, loaded. Raises ModelMissing, ModelUnusable."""
    return loaded(named_or_directory(name, "translator", folder), folder)


def _hush() -> None:
    """No progress bars, no report that an adapter's head is not among the base model's weights, and nothing of what
    peft and transformers have to say to each other."""
    from transformers.utils import logging

    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
