"""Makes the compressed model of one version in a run's folder. A run that was cut off goes on from what it has.

    whole/       the version's weights, pruned; what a recovery starts from
    model/       the finished model
    made.json    the figures, once model/ is whole
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from transformers import AutoTokenizer, PreTrainedModel

from models_service import version_files
from models_service.compression import importance, magnitude, weights
from models_service.compression.methods import METHODS
from models_service.formats.files import FormatError, read_text
from models_service.formats.raw_rows import FileRefused, rows_of
from models_service.model_files import FORM_FILE, ModelUnusable, tokenizer_folder
from models_service.registry import Model
from models_service.training.loop import train
from models_service.training.qa import QaTask
from models_service.training.run_folder import RunFolder
from models_service.training.settings import QaSettings
from models_service.training.shrinking import keep_layers, keep_neurons, neurons_to_keep

MADE_FILE = "made.json"
LONGEST_TEXT = 256
"""Tokens of a text that importance is measured on."""


@dataclass(frozen=True)
class Wanted:
    """`data`: files to learn on, or to measure importance on."""

    method: str
    settings: BaseModel
    model: Model
    data: Sequence[Path] = ()


def make(wanted: Wanted, run: RunFolder) -> dict[str, Any]:
    """The compressed model in `run.model`, and figures of what was done.

    Raises:
        Stopped: a training was asked to stop; the same call goes on.
        ModelUnusable: this model cannot be compressed so; the sentence says why.
        FormatError: the data cannot be read.
    """
    made = run.path / MADE_FILE
    if made.is_file():
        return json.loads(made.read_text(encoding="utf-8"))
    if wanted.model.kind not in METHODS[wanted.method].kinds:
        raise ModelUnusable(f"{wanted.model.label} is a model of kind {wanted.model.kind}; {wanted.method} is for "
                            f"{', '.join(METHODS[wanted.method].kinds)}.")
    shutil.rmtree(run.model, ignore_errors=True)
    try:
        figures = _MAKERS[wanted.method](wanted, run)
    except ValueError as problem:
        if isinstance(problem, FormatError):
            raise
        raise ModelUnusable(f"{wanted.model.label} cannot be compressed so: {problem}.") from None
    fresh = made.with_suffix(".new")
    fresh.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    fresh.replace(made)
    return figures


def _quantized(wanted: Wanted, run: RunFolder) -> dict[str, Any]:
    form = wanted.settings.form
    if form == "int8":  # each machine makes its own 8 bits of the exact weights, which stay as they are
        run.model.mkdir()
        version_files.copy(wanted.model.directory(), run.model)
        (run.model / "README.md").unlink(missing_ok=True)
    else:
        weights.copy_whole(wanted.model, run.model)
        weights.write(weights.read(run.model, wanted.model.kind).to(torch.bfloat16), run.model)
    weights.tell_form(run.model, form)
    return {"form": form}


def _thinned(wanted: Wanted, run: RunFolder) -> dict[str, Any]:
    """Magnitude pruning."""
    def prune(model: PreTrainedModel) -> None:
        magnitude.prune(model, wanted.settings.sparsity)

    return _pruned_and_recovered(wanted, run, prune)


def _pruned(wanted: Wanted, run: RunFolder) -> dict[str, Any]:
    """Structured pruning."""
    settings = wanted.settings

    def prune(model: PreTrainedModel) -> None:
        layers = model.config.num_hidden_layers
        if settings.drop_layers >= layers:
            raise ValueError(f"it has {layers} layers, so at most {layers - 1} can go")
        matters = _importance(wanted, model, run)
        kept = sorted(matters.layers.topk(layers - settings.drop_layers).indices.tolist())
        neurons = neurons_to_keep(model, 1 - settings.share)
        chosen = [matters.neurons[number].topk(neurons).indices.to(model.device) for number in kept]
        keep_layers(model, kept)
        keep_neurons(model, chosen)
        run.say(f"{len(kept)} of {layers} layers kept, with {neurons} inner neurons each")

    return _pruned_and_recovered(wanted, run, prune)


def _pruned_and_recovered(wanted: Wanted, run: RunFolder, prune: Callable[[PreTrainedModel], None]) -> dict[str, Any]:
    whole, kind, settings = run.path / "whole", wanted.model.kind, wanted.settings
    if not whole.is_dir():
        fresh = run.path / "whole.new"
        shutil.rmtree(fresh, ignore_errors=True)
        weights.copy_whole(wanted.model, fresh)
        model = weights.read(fresh, kind)
        prune(model)
        weights.write(model, fresh)
        fresh.rename(whole)
    if settings.recovery_epochs:
        if kind != "reader":
            raise ValueError("only a reader can learn again after it was pruned")
        run.say("what is left learns again from the original and from the data")
        _taught(wanted, run, QaSettings(
            base=str(wanted.model.directory()), data=list(wanted.data), method="distil", student=str(whole),
            keep_zeros=wanted.method == "magnitude", epochs=settings.recovery_epochs,
            learning_rate=settings.learning_rate, batch_size=settings.batch_size, max_steps=settings.max_steps,
            seed=settings.seed,
        ))
    else:
        shutil.copytree(whole, run.model)
    made = weights.read(run.model, kind)
    shutil.rmtree(whole)
    return {"parameters": sum(one.numel() for one in made.parameters()),
            "sparsity": round(magnitude.sparsity(made), 4)}


def _distilled(wanted: Wanted, run: RunFolder) -> dict[str, Any]:
    _taught(wanted, run, QaSettings(
        base=str(wanted.model.directory()), data=list(wanted.data), method="distil",
        **wanted.settings.model_dump(exclude_none=True),
    ))
    return {"parameters": sum(one.numel() for one in weights.read(run.model, "reader").parameters())}


def _taught(wanted: Wanted, run: RunFolder, settings: QaSettings) -> None:
    train(QaTask(settings, run), settings, run)
    form = wanted.model.directory() / FORM_FILE
    if form.is_file():
        shutil.copyfile(form, run.model / FORM_FILE)


_MAKERS: dict[str, Callable[[Wanted, RunFolder], dict[str, Any]]] = {
    "quantize": _quantized, "prune": _pruned, "magnitude": _thinned, "distil": _distilled,
}


def _importance(wanted: Wanted, model: PreTrainedModel, run: RunFolder) -> importance.Importance:
    settings = wanted.settings
    if wanted.model.kind == "reader":
        qa = QaSettings(base=str(wanted.model.directory()), data=list(wanted.data), method="full", epochs=1,
                        batch_size=settings.batch_size, seed=settings.seed)
        task = QaTask(qa, run)
        task.model.eval()
        batches, seen = [], 0
        for batch in task.batches:
            if seen < settings.examples:
                batches.append(batch)
                seen += len(batch)
        run.say(f"importance is measured on {seen} windows of the data, by gradients")
        return importance.by_gradients(task.model, (lambda batch=batch: task.loss(batch, torch.device("cpu"))
                                                    for batch in batches))
    folder = wanted.model.directory()
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder(folder))
    found = list(islice(texts(wanted.data), settings.examples))
    if not found:
        raise FormatError("the data holds no text to measure importance on")
    run.say(f"importance is measured on {len(found)} texts of the data, by activations")
    return importance.by_activations(model, (
        tokenizer(text, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt") for text in found))


def texts(files: Sequence[Path]) -> Iterator[str]:
    """The longest text of each row of SQuAD JSON, JSON Lines or CSV; of any other text file its lines."""
    for path in files:
        text = read_text(path, "text")
        try:
            rows = [row.values for row in rows_of(text, path.name)]
        except FileRefused:
            yield from filter(None, map(str.strip, text.splitlines()))
            continue
        for values in rows:
            if isinstance(values, dict) and (own := [one for one in values.values() if isinstance(one, str) and one]):
                yield max(own, key=len)
