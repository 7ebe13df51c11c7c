"""`classification`: texts with a label each, against the labels that a classifier gives. No starter model does it."""

from __future__ import annotations

import time

from models_service.evaluation import classification
from models_service.evaluation.report import Report
from models_service.formats.labelled import read_labelled
from models_service.model_files import classifier_labels
from models_service.opening import loaded
from models_service.registry import CLASSIFIER, Model, ModelMissing, ModelUnusable, named_or_directory
from webapp.ops.evaluations.task import Order, Task

DATA = "JSON Lines, CSV or TSV with text and label, gzip allowed"
NO_MODEL = (
    "There is no classifier {name} here. `manage.py finetune classification --data FILE` trains one; name its "
    "folder, or register it by `manage.py models register`."
)


def _classify(order: Order) -> Report:
    rows = read_labelled(order.data)[: order.limit]
    model = classifier(order, "text")
    engine = loaded(model, order.models_folder)
    try:
        if engine.gives_several:
            raise ModelUnusable(f"{model.name} gives a text several labels at once; only those that give one are "
                                "measured.")
        began = time.monotonic()
        labels = classification.score(engine, rows, order.progress, order.keep)
        seconds = time.monotonic() - began
    finally:
        engine.close()
    return Report(
        task="classification", model=order.model, data=order.data.name, n=len(rows),
        metrics={name: round(value, 4) for name, value in classification.metrics(labels).items()},
        intervals={name: (round(low, 4), round(high, 4))
                   for name, (low, high) in classification.intervals(labels).items()},
        seconds=round(seconds, 1), labelling=classification.labelling(labels),
    )


def classifier(order: Order, task: str) -> Model:
    """The model to be measured, of this task of the engine. Raises ModelMissing, ModelUnusable."""
    try:
        model = named_or_directory(order.model, "classifier", order.models_folder)
        folder = model.directory()
    except ModelMissing:
        raise ModelMissing(NO_MODEL.format(name=order.model)) from None
    if model.kind != "classifier":
        raise ModelUnusable(f"{order.model} is a model of kind {model.kind}, not a classifier.")
    if classifier_labels(folder)[0] != task:
        what = "what stands in texts, not whole texts" if task == "text" else "whole texts, not what stands in them"
        raise ModelUnusable(f"{order.model} labels {what}.")
    return model


CLASSIFICATION = Task("texts against the labels that people gave them", DATA, CLASSIFIER, _classify)
