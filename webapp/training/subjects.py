"""What can be trained and evaluated from the dashboard: for each task its registry name, its bases, its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from models_service import model_files
from models_service.compression.methods import METHODS
from models_service.export_formats import formats_for
from models_service.model_files import ModelMissing, ModelUnusable, classifier_labels
from models_service.registry import CLASSIFIER, ENCODER, READER, SUMMARIZER, TAGGER, TRANSLATOR, Model, Registry
from models_service.training.recipes import RECIPES, Recipe
from models_service.versions import STARTER_VERSION
from webapp.errors import BadInput
from webapp.settings.places import models_folder

if TYPE_CHECKING:
    from webapp.ops.evaluations import Task


@dataclass(frozen=True)
class Subject:
    """`kind` is what a training makes, as `sort_of` has it, and `model` the name that it is registered under; `main`
    is the metric that decides a promotion. A default base of "" begins a new model, where one can be begun."""

    task: str
    recipe: str
    evaluation: str
    kind: str
    model: str
    main: str
    base_kinds: tuple[str, ...]
    default_base: str = ""
    needs_base: bool = False
    """Only a model that there is can be trained."""


OF_WORDS = "word classifier"
"""What a classifier of words is called where one of texts is something else; in the registry both are one kind."""
WRITER = "wenda-generator"
"""No text generator comes with the software; those that are trained here are registered under this name."""
SUBJECTS = {
    "qa": Subject("qa", "qa", "qa", "reader", READER, "f1", ("reader", "encoder"), f"{READER}@{STARTER_VERSION}"),
    "translate": Subject("translate", "translate", "translate", "translator", TRANSLATOR, "chrf", ("translator",)),
    "summarize": Subject("summarize", "summarize", "summarize", "summarizer", SUMMARIZER, "rougeL", ("encoder",),
                         f"{ENCODER}@{STARTER_VERSION}"),
    "chat": Subject("chat", "causal", "perplexity", "generator", WRITER, "perplexity", ("generator",)),
    "preferences": Subject("preferences", "preferences", "preferences", "generator", WRITER, "accuracy",
                           ("generator",), needs_base=True),
    "classification": Subject("classification", "classification", "classification", "classifier", CLASSIFIER,
                              "accuracy", ("encoder", "classifier"), f"{ENCODER}@{STARTER_VERSION}"),
    "token-classification": Subject("token-classification", "token-classification", "token-classification", OF_WORDS,
                                    TAGGER, "f1_micro", ("encoder", OF_WORDS), f"{ENCODER}@{STARTER_VERSION}"),
    "retrieval": Subject("retrieval", "retrieval", "retrieval", "encoder", ENCODER, "ndcg@10", ("encoder",),
                         f"{ENCODER}@{STARTER_VERSION}"),
}
LOWER_IS_BETTER = frozenset(("perplexity", "cross_entropy"))


def registry() -> Registry:
    return Registry(folder=models_folder(settings.DATA_DIR))


def recipe(task: str) -> Recipe:
    return RECIPES[SUBJECTS[task].recipe]


def evaluation(task: str) -> Task:
    from webapp.ops.evaluations import TASKS  # takes seconds

    return TASKS[SUBJECTS[task].evaluation]


def sort_of(model: Model) -> str:
    """The kind of a model, where one that labels words is OF_WORDS. Raises ModelMissing, ModelUnusable."""
    is_of_words = model.kind == "classifier" and classifier_labels(model.directory())[0] == "tokens"
    return OF_WORDS if is_of_words else model.kind


def task_of(model: Model) -> str:
    """The task that makes and measures such models; "" when none does. Where several do, it is the one that its card
    says it was trained by, else the first. Raises ModelMissing, ModelUnusable."""
    sort = sort_of(model)
    found = [one for one in SUBJECTS.values() if one.kind == sort]
    if len(found) > 1:
        trained_by = model_files.card(model.directory()).get("task")
        found.sort(key=lambda one: one.recipe != trained_by)
    return found[0].task if found else ""


@dataclass(frozen=True)
class Choice:
    """A version that can be chosen, as NAME@VERSION, and whether it is served now."""

    label: str
    kind: str
    is_live: bool


def versions_of(kinds: tuple[str, ...]) -> list[Choice]:
    """All registered and starter versions of these kinds: the served ones first, then the newest."""
    found = registry()
    choices = []
    for name in found.names():
        live = found.live(name).current
        registered = found.versions.versions(name)[::-1] if found.versions else []
        for version in [*registered, STARTER_VERSION]:
            try:
                model = found.version(name, version)
                sort = sort_of(model)
            except (ModelMissing, ModelUnusable):
                continue
            if sort in kinds:
                choices.append(Choice(model.label, sort, version == live))
    return sorted(choices, key=lambda one: (kinds.index(one.kind), not one.is_live))


def bases(task: str) -> list[Choice]:
    """What a fine-tune may start from."""
    return versions_of(SUBJECTS[task].base_kinds)


def default_base(task: str) -> str:
    """What is served now, so that a fine-tune goes on from what people use."""
    live = [one.label for one in bases(task) if one.is_live]
    return live[0] if live else SUBJECTS[task].default_base


def base_source(label: str) -> str:
    """As a recipe takes it: the starter encoder's package, else the version's folder; "" for a new model."""
    if not label:
        return ""
    model, folder = _found(label, "base")
    return str(folder) if Path(model.source).is_dir() else model.source


def check_base(label: str, task: str) -> str:
    """NAME@VERSION of a model that a fine-tune for the task can start from; BadInput otherwise."""
    model, _folder = _found(label, "base")
    if sort_of(model) not in SUBJECTS[task].base_kinds:
        raise BadInput(_("%(model)s is a model of kind %(kind)s, from which %(task)s does not start.")
                       % {"model": model.label, "kind": sort_of(model), "task": task}, "base")
    return model.label


def check_model(label: str, task: str) -> str:
    """NAME@VERSION of a model that the task can measure; BadInput otherwise."""
    model, _folder = _found(label, "models")
    if sort_of(model) != SUBJECTS[task].kind:
        raise BadInput(_("%(model)s is a model of kind %(kind)s, which %(task)s does not measure.")
                       % {"model": model.label, "kind": sort_of(model), "task": task}, "models")
    return model.label


def check_compressible(label: str, method: str) -> Model:
    """The model of NAME@VERSION, which `method` of models_service/compression/methods.py can compress; else
    BadInput."""
    model, _folder = _found(label, "model")
    if method not in METHODS or model.kind not in METHODS[method].kinds:
        raise BadInput(_("%(model)s is a model of kind %(kind)s, for which there is no method “%(method)s”.")
                       % {"model": model.label, "kind": model.kind, "method": method}, "method")
    return model


def check_exportable(label: str, form: str) -> Model:
    """The model of NAME@VERSION, which can be written in this format; else BadInput."""
    model, _folder = _found(label, "model")
    if form not in formats_for(model.kind):
        raise BadInput(_("%(model)s can be exported as: %(formats)s.")
                       % {"model": model.label, "formats": ", ".join(formats_for(model.kind))}, "format")
    return model


def _found(label: str, field: str) -> tuple[Model, Path]:
    """With its folder."""
    try:
        model = registry().find(label)
        return model, model.directory()
    except (ModelMissing, ModelUnusable) as problem:
        raise BadInput(str(problem), field) from None
