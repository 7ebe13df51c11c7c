"""Which models lead from one language to another: one that offers the pair, or two through English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

PIVOT = "en"


class Pair(Protocol):
    """A pair of languages that a served model offers (`models_service/face.py`)."""

    source: str
    target: str
    model: str
    figures: dict[str, Any]


class TranslationError(ValueError):
    """A text that cannot be translated; `message` tells a person why and what to do."""

    def __init__(self, code: str, message: str, offered: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offered = list(offered)


@dataclass(frozen=True)
class Route:
    """`legs` are the pairs one after the other; none when there is nothing to translate."""

    legs: tuple[Pair, ...]

    @property
    def via(self) -> str:
        return self.legs[0].target if len(self.legs) > 1 else ""

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(leg.model for leg in self.legs))


def route(pairs: Sequence[Pair], source: str, target: str) -> Route:
    """The way from `source` to `target`.

    Raises:
        TranslationError: no model is there, or none offers this pair and none leads through English.
    """
    if not pairs:
        raise TranslationError("no_models", "No translation model is installed. An administrator can add one.")
    if source == target:
        return Route(())
    direct = _first(pairs, source, target)
    if direct:
        return Route((direct,))
    first, second = _first(pairs, source, PIVOT), _first(pairs, PIVOT, target)
    if first and second:
        return Route((first, second))
    offered = sorted({f"{pair.source}-{pair.target}" for pair in pairs})
    sentence = f"No installed model translates {source} to {target}. Offered: {', '.join(offered)}."
    raise TranslationError("pair_not_offered", sentence, offered)


def reachable(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """For each source language the targets that it can be translated to, those through English too."""
    sources = sorted({pair.source for pair in pairs})
    targets = sorted({pair.target for pair in pairs})
    found = {}
    for source in sources:
        found[source] = [target for target in targets if target != source and _is_reachable(pairs, source, target)]
    return found


def _is_reachable(pairs: Sequence[Pair], source: str, target: str) -> bool:
    return bool(_first(pairs, source, target) or (_first(pairs, source, PIVOT) and _first(pairs, PIVOT, target)))


def _first(pairs: Sequence[Pair], source: str, target: str) -> Pair | None:
    """Of several models for a pair the first, which is the service's own choice."""
    return next((pair for pair in pairs if (pair.source, pair.target) == (source, target)), None)
