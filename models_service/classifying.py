"""Which classifiers are served, and their labels as the contract tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models_service.engines.labelling import Labelled, Task, kinds
from models_service.model_files import Kind, classifier_labels
from models_service.protocol import ClassifyDone, ClassifyRequest, Entity, LabelScore, Timings
from models_service.registry import Model, ModelMissing, ModelUnusable, Registry

if TYPE_CHECKING:
    from models_service.live_model import Serving


@dataclass(frozen=True)
class Classifier:
    """`labels` are all that it may give."""

    name: str
    version: str
    task: Task
    labels: list[str]


def served(registry: Registry) -> list[Classifier]:
    """By name; a request that names none is answered by the first."""
    found = []
    for name in registry.names():
        try:
            model = registry.find(name)
            if model.kind == "classifier":
                task, labels = classifier_labels(model.directory())
                found.append(Classifier(name, model.version, task, kinds(task, labels)))
        except (ModelMissing, ModelUnusable):
            continue  # a version that was never promoted, a folder that is gone: it is not served
    return found


async def classify(
    request: ClassifyRequest, serving_of: Callable[[Kind, str | None], Serving], on_start: Callable[[], None]
) -> ClassifyDone:
    """Raises ModelsError."""
    serving = serving_of("classifier", request.model)
    outcome = await serving.queue.submit(
        request.texts, client=request.client, deadline_ms=request.deadline_ms, on_start=on_start
    )
    return done(request, serving.model, serving.queue.engine.task, outcome.outputs, outcome.timings)


def done(
    request: ClassifyRequest, model: Model, task: Task, outputs: Sequence[Sequence[Labelled]], timings: Timings
) -> ClassifyDone:
    labels: list[list[LabelScore]] = []
    entities: list[list[Entity]] = []
    if task == "text":
        labels = [[LabelScore(label=one.label, score=one.score) for one in output] for output in outputs]
    else:
        entities = [
            [Entity(label=one.label, text=text[one.start : one.end], start=one.start, end=one.end, score=one.score)
             for one in output]
            for text, output in zip(request.texts, outputs, strict=True)
        ]
    return ClassifyDone(
        id=request.id, model=model.name, version=model.version, task=task, labels=labels, entities=entities,
        timings=timings,
    )
