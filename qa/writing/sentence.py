"""Sentences with their pieces through a model and back: as a whole first, in parts where that loses something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qa.writing.asking import Asking, Candidate
from qa.writing.drafts import Parts, Whole, like
from qa.writing.protected import Held, find, lost
from qa.writing.units import Unit

CANDIDATES = 3
"""Translations looked through for one that has lost nothing."""
_SHORT_NUMBER = 2
"""A number of so few digits is rightly written as a word at times: it is flagged, not cut around."""


@dataclass(frozen=True)
class Result:
    text: str
    score: float
    alternatives: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    untranslated: bool = False


async def translate_units(
    units: Sequence[Unit], asking: Asking, source: str, target: str, write: Callable[[str], str], alternatives: int
) -> list[Result]:
    """The result of each unit."""
    wholes = [Whole.of(unit, source) for unit in units]
    n_best = 1 + alternatives
    texts = [whole.text for whole in wholes if whole]
    careful = [whole.text for whole in wholes if whole and (not whole.is_plain or any(map(str.isdigit, whole.text)))]
    answers = await asking.translate([text for text in texts if text not in careful], n_best)
    answers |= await asking.translate(careful, max(n_best, CANDIDATES))
    inner = await asking.translate([text for whole in wholes if whole for text in whole.inner])
    results = [
        _of_whole(unit, whole, answers[whole.text], inner, write, alternatives) if whole else None
        for unit, whole in zip(units, wholes, strict=True)
    ]
    failed = [(number, whole) for number, whole in enumerate(wholes) if whole and results[number] is None]
    named = {
        number: draft for number, whole in failed
        if (draft := whole.with_names([inner[text][0].text for text in whole.inner], source, target, write))
    }
    answers = await asking.translate([draft.text for draft in named.values()], max(n_best, CANDIDATES))
    for number, draft in named.items():
        results[number] = _of_whole(units[number], draft, answers[draft.text], inner, write, alternatives)
    return await _with_parts(units, results, asking, target, write)


def _of_whole(
    unit: Unit, whole: Whole, candidates: Sequence[Candidate], inner: dict[str, list[Candidate]],
    write: Callable[[str], str], alternatives: int,
) -> Result | None:
    """The first candidate that has all pieces; None when none has the hard ones."""
    spans = [inner[text][0].text for text in whole.inner]
    source = "".join(token for token in unit.tokens if isinstance(token, str))
    good: list[tuple[str, float, list[str]]] = []
    for candidate in candidates:
        made = whole.put_together(like(source, candidate.text), spans, write) if candidate.text else None
        if made is not None and not any(made == text for text, _, _ in good):
            good.append((made, candidate.score, _missing(unit, made)))
    if not good:
        return None
    good.sort(key=lambda one: len(one[2]))  # stable: the most likely of those that have lost least
    text, score, missing = good[0]
    return Result(text, score, [other for other, _, _ in good[1 : 1 + alternatives]], missing)


async def _with_parts(
    units: Sequence[Unit], results: Sequence[Result | None], asking: Asking, target: str, write: Callable[[str], str]
) -> list[Result]:
    """The results, those that miss something made once more in parts; once more again where that loses a number."""
    without = {number: Parts(units[number]) for number, result in enumerate(results) if result is None}
    made = {**dict(enumerate(results)), **await _in_parts(units, without, asking, target, write)}
    numberless = {number: Parts(units[number], _long(result)) for number, result in made.items() if _long(result)}
    made |= await _in_parts(units, numberless, asking, target, write)
    return [made[number] for number in range(len(units))]  # type: ignore[misc]


def _long(result: Result | None) -> list[str]:
    return [piece for piece in result.lost if len(piece) > _SHORT_NUMBER] if result else []


async def _in_parts(
    units: Sequence[Unit], drafts: dict[int, Parts], asking: Asking, target: str, write: Callable[[str], str]
) -> dict[int, Result | None]:
    answers = await asking.translate([text for draft in drafts.values() for text in draft.texts])
    results: dict[int, Result | None] = {}
    for number, draft in drafts.items():
        own = [answers[text][0] for text in draft.texts]
        made = draft.put_together([one.text for one in own], target, write)
        score = min((one.score for one in own), default=0.0)
        empty = bool(own) and not any(one.text for one in own)
        results[number] = Result(made, score, lost=_missing(units[number], made), untranslated=empty)
    return results


def _missing(unit: Unit, made: str) -> list[str]:
    pieces: list[Held] = []
    for token in unit.tokens:
        pieces += [piece for piece in find(token) if not piece.is_hard] if isinstance(token, str) else [token]
    return [piece.output for piece in lost(pieces, made)]
