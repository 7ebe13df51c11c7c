"""Which causal language model an evaluation measures. There is no starter model for it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from models_service.registry import Model, ModelMissing, Registry, named_or_directory
from webapp.ops.evaluations.task import Order

NO_MODEL = (
    "{what} measured of a causal language model, and no text generator is served here. Name one with --model "
    "NAME or FOLDER, or serve one: `manage.py finetune causal --data FILE` trains one, `manage.py models register` "
    "and `promote` serve it. A model behind WENDA_GENERATOR_URL cannot be measured: its weights are elsewhere."
)


def generator(order: Order, what: str) -> tuple[str, Model]:
    """What it is called, and the model: the one that is named, else the one that the site uses.

    Args:
        what: is measured, with its verb, as in "Perplexity is".

    Raises:
        ModelMissing: there is none, or it is a model of another kind.
    """
    sentence = NO_MODEL.format(what=what)
    name = order.model or _served(order.models_folder, sentence)
    model = named_or_directory(name, "generator", order.models_folder)
    if model.kind != "generator":
        raise ModelMissing(f"{name} is a model of kind {model.kind}. {sentence}")
    return name, model


def _served(folder: Path, sentence: str) -> str:
    try:
        found = Registry(folder=folder, generator=settings.GENERATOR).default_name("generator")
    except ModelMissing:
        raise ModelMissing(sentence) from None
    return settings.GENERATOR if Path(settings.GENERATOR).is_dir() else found
