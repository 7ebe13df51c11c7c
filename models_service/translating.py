"""How the service answers what is asked of translators: which of them offers a pair, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models_service.engines.rewriting import Rewritten
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.protocol import (
    LanguagePair,
    LanguagesDone,
    LanguagesRequest,
    TextNote,
    Timings,
    TranslateDone,
    TranslateRequest,
    Translation,
)
from models_service.registry import Kind, Model, ModelMissing, ModelUnusable, Registry
from models_service.translation_pairs import OfferedPair, pairs_of
from models_service.versions import STARTER_VERSION

if TYPE_CHECKING:
    from models_service.live_model import Serving

MOST_NAMED = 40
"""Pairs in one sentence of an error."""


@dataclass(frozen=True)
class Offer:
    model: Model
    pair: OfferedPair


def offers(registry: Registry) -> list[Offer]:
    """Every direction of every translator that is served. One that was added goes before a starter, else by name."""
    found: list[Offer] = []
    for name in registry.names():
        try:
            model = registry.find(name)
            if model.kind == "translator":
                found += offers_of(model)
        except (ModelMissing, ModelUnusable):
            continue  # a starter that is not installed, a version that was never promoted: nothing is offered
    return sorted(found, key=lambda offer: (offer.model.version == STARTER_VERSION, offer.model.name))


def offers_of(model: Model) -> list[Offer]:
    """Raises ModelMissing, ModelUnusable."""
    return [Offer(model, pair) for pair in pairs_of(model.directory())]


def choose(found: list[Offer], source: str, target: str, name: str | None) -> Offer:
    """The offer that a request is answered with. Raises ModelsError with what there is."""
    if not found:
        raise ModelsUnavailable(
            "No translator is installed. `python manage.py models register FOLDER` adds one.", retryable=False
        )
    own = [offer for offer in found if name in (None, offer.model.name, offer.model.label)]
    if not own:
        names = ", ".join(dict.fromkeys(offer.model.name for offer in found))
        raise ModelsError("not_found", f"There is no translator named {name!r}; there are: {names}.")
    for offer in own:
        if (offer.pair.source, offer.pair.target) == (source, target):
            return offer
    pairs = list(dict.fromkeys(f"{offer.pair.source}-{offer.pair.target}" for offer in own))
    listed = ", ".join(pairs[:MOST_NAMED]) + (" and more" if len(pairs) > MOST_NAMED else "")
    raise ModelsError("not_found", f"No model translates {source} into {target}; there are: {listed}.")


def languages(request: LanguagesRequest, registry: Registry) -> LanguagesDone:
    return LanguagesDone(id=request.id, pairs=[described(offer) for offer in offers(registry)])


def described(offer: Offer) -> LanguagePair:
    pair = offer.pair
    return LanguagePair(source=pair.source, target=pair.target, model=offer.model.name, figures=pair.figures)


async def translate(
    request: TranslateRequest, registry: Registry, serving_of: Callable[[Kind, str | None], Serving],
    on_start: Callable[[], None],
) -> TranslateDone:
    """`serving_of` gives what serves a model now, as the service does for every kind. Raises ModelsError."""
    offer = choose(offers(registry), request.source, request.target, request.model)
    serving = serving_of("translator", offer.model.name)
    outcome = await serving.queue.submit(
        [offer.pair.rewriting(text, request.n_best, request.beam_size) for text in request.texts],
        client=request.client, deadline_ms=request.deadline_ms, on_start=on_start,
    )
    return done(request.id, serving.model, outcome.outputs, outcome.timings)


def done(request_id: str, model: Model, rewritten: list[Rewritten], timings: Timings) -> TranslateDone:
    notes: list[TextNote] = []
    for index, one in enumerate(rewritten):
        if one.pieces > 1:
            notes.append(TextNote(index=index, kind="pieces"))
        if one.cut:
            notes.append(TextNote(index=index, kind="cut"))
        if one.unknown:
            notes.append(TextNote(index=index, kind="unknown", what=one.unknown))
    return TranslateDone(
        id=request_id, model=model.name, version=model.version, notes=notes, timings=timings,
        translations=[
            [Translation(text=candidate.text, score=round(candidate.score, 4)) for candidate in one.candidates]
            for one in rewritten
        ],
    )
