"""Asks the models for sentences: each text once, along a route, with what is remembered from before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from qa.writing.loops import SCORE, without_loops
from qa.writing.routes import Route

MAX_CHARACTERS = 2_000
_AT_ONCE = 64


@dataclass(frozen=True)
class Candidate:
    text: str
    score: float


class Memory(Protocol):
    """Translations from before, by model, pair, number of candidates and text."""

    def recall(self, key: tuple[str, ...]) -> list[Candidate] | None: ...

    def keep(self, key: tuple[str, ...], candidates: list[Candidate]) -> None: ...


class NoMemory:
    def recall(self, key: tuple[str, ...]) -> list[Candidate] | None:
        return None

    def keep(self, key: tuple[str, ...], candidates: list[Candidate]) -> None:
        return None


class Asking:
    """One route, one caller."""

    def __init__(self, models: Any, route: Route, client: str, memory: Memory) -> None:
        self._models, self._route, self._client, self._memory = models, route, client, memory

    async def translate(self, texts: Sequence[str], n_best: int = 1) -> dict[str, list[Candidate]]:
        """For each of the texts its candidates, the best first."""
        legs = self._route.legs
        wanted = list(dict.fromkeys(texts))
        if len(legs) < 2:
            return await self._leg(wanted, 0, n_best)
        between = await self._leg(wanted, 0, 1)
        onward = await self._leg([between[text][0].text for text in wanted], 1, n_best)
        return {
            text: [Candidate(last.text, min(last.score, between[text][0].score))
                   for last in onward[between[text][0].text]]
            for text in wanted
        }

    async def _leg(self, texts: Sequence[str], number: int, n_best: int) -> dict[str, list[Candidate]]:
        leg = self._route.legs[number]
        found: dict[str, list[Candidate]] = {}
        missing = []
        for text in dict.fromkeys(texts):
            remembered = self._memory.recall(self._key(number, n_best, text))
            if remembered:
                found[text] = remembered
            elif text.strip():
                missing.append(text)
            else:
                found[text] = [Candidate("", 0.0)]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            done = await self._models.translate(
                [text[:MAX_CHARACTERS] for text in part], source=leg.source, target=leg.target, n_best=n_best,
                model=leg.model, client=self._client,
            )
            for text, candidates in zip(part, done.translations, strict=True):
                own = [_candidate(one.text, one.score, text) for one in candidates] or [Candidate("", 0.0)]
                found[text] = own
                self._memory.keep(self._key(number, n_best, text), own)
        return found

    def _key(self, number: int, n_best: int, text: str) -> tuple[str, ...]:
        leg = self._route.legs[number]
        return leg.model, leg.source, leg.target, str(n_best), text


def _candidate(text: str, score: float, source: str) -> Candidate:
    line = " ".join(text.split())  # a model's line break would make a paragraph
    said_once = without_loops(line, source)
    return Candidate(said_once, score if said_once == line else min(score, SCORE))
