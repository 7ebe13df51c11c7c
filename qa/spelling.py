"""Put right the words of a question that no document holds and that are one slip away from a word that many hold.

Asked only after the question as it was typed found no answer, so that a word which is right is never put wrong first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.index import CollectionGone, CollectionIndex
from qa.scripts import is_cjk
from qa.terms import STOP_WORDS

SHORTEST = 3
TWO_SLIPS_FROM = 8
"""Letters. A shorter word is taken for another only when one slip lies between them."""
_ASKING = frozenset("many much long often tall called built located".split())
_COMMON = 1_000_000_000
"""How often a question's own words are written: "mny" is "many"."""
_WORD = re.compile(r"[^\W\d_]+")


def corrected(question: str, collections: Sequence[tuple[str, CollectionIndex]]) -> str:
    """The question with its slips put right; the question itself where there is none."""
    if is_cjk(question):
        return question
    unknown = {
        word for found in _WORD.findall(question) if len(word := found.lower()) >= SHORTEST and word not in STOP_WORDS
    }
    indexes = []
    for _, index in collections:
        try:
            unknown -= set(index.frequencies(sorted(unknown)))
            indexes.append(index)
        except CollectionGone:
            continue
    right = {word: best for word in unknown if (best := _nearest(word, indexes))}
    return _WORD.sub(lambda found: _cased(right.get(found.group().lower(), ""), found.group()), question)


def _nearest(word: str, indexes: Sequence[CollectionIndex]) -> str:
    """The word with the fewest slips, of these the commonest; "" when none is near."""
    allowed = 2 if len(word) >= TWO_SLIPS_FROM else 1
    known = {other: _COMMON for other in STOP_WORDS | _ASKING if other[0] == word[0]}
    if len(word) > SHORTEST:
        for index in indexes:
            known.update(_known(word, index, allowed))
    scored = [
        (slips, -len(other) if count == _COMMON else 0, -count, other)
        for other, count in known.items() if 0 < (slips := distance(word, other, allowed)) <= allowed
    ]
    return min(scored)[-1] if scored else ""


def _known(word: str, index: CollectionIndex, allowed: int) -> dict[str, int]:
    """Words of the documents near this one. Stems are compared first, for the index holds no words."""
    found: dict[str, int] = {}
    try:
        for stem, count in index.stems_like(word, allowed + 1).items():
            if distance(word[: len(stem) + allowed], stem, allowed + 1) <= allowed + 1:
                found.update({other: count for other in index.written(stem)})
    except CollectionGone:
        pass
    return found


def distance(one: str, other: str, most: int) -> int:
    """Letters added, left out, changed, or swapped with their neighbour (Damerau); `most` + 1 when there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        previous, before, row = before, row, [i]
        for j, against in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _cased(right: str, typed: str) -> str:
    if not right:
        return typed
    return right.capitalize() if typed[0].isupper() else right
