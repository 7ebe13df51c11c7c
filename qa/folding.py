"""Fold passages that say nearly the same words into one, so that a text which lies in two files is found once.

Likeness is the share of word triples that two passages have in common (Broder 1997). Passages with different numbers
are never folded: two versions of a text differ in what matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models_service.protocol import AlsoIn
from qa.retrieve import RetrievedPassage
from qa.terms import terms

ALIKE_FROM = 0.9
"""Of the triples of both."""
FEWEST_TERMS = 8
"""Shorter passages are folded only when they are equal."""
TRIPLE = 3


def folded(found: Sequence[RetrievedPassage]) -> list[RetrievedPassage]:
    """The passages, best first, each with its near-duplicates further down; these are left out themselves."""
    kept: list[RetrievedPassage] = []
    shapes: list[frozenset[tuple[str, ...]]] = []
    for retrieved in found:
        shape = _shape(retrieved.passage.text)
        same = next((place for place, known in enumerate(shapes) if _alike(shape, known)), None)
        if same is None:
            kept.append(retrieved)
            shapes.append(shape)
        else:
            first = kept[same]
            kept[same] = replace(first, also_in=(*first.also_in, _place(retrieved), *retrieved.also_in))
    return kept


def _place(retrieved: RetrievedPassage) -> AlsoIn:
    passage = retrieved.passage
    return AlsoIn(
        document=passage.document.id, title=passage.document.title, start=passage.start, end=passage.end
    )


def _shape(text: str) -> frozenset[tuple[str, ...]]:
    """The triples of terms."""
    words = terms(text)
    if len(words) < FEWEST_TERMS:
        return frozenset([tuple(words)])
    return frozenset(tuple(words[i : i + TRIPLE]) for i in range(len(words) - TRIPLE + 1))


def _alike(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    smaller, larger = sorted((len(one), len(other)))
    if not smaller or smaller < ALIKE_FROM * larger or _numbers(one) != _numbers(other):
        return False
    return len(one & other) >= ALIKE_FROM * len(one | other)


def _numbers(shape: frozenset[tuple[str, ...]]) -> set[str]:
    return {word for triple in shape for word in triple if word[0].isdigit()}
