"""How many rows of one data set have a text that stands in another: who was trained on a text knows it already.

Nearly the same are texts whose pairs of neighbouring words are ALIKE (Jaccard), whatever case and punctuation. Texts
that may be alike are found by a sketch of each, its pairs' smallest hashes (Broder 1997); then they are compared.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models_service.formats.splits import text_of

ALIKE = 0.6
SKETCH = 16
"""Hashes that stand for a text. Of two texts that are alike about ALIKE of them are the same."""
SHARED = 3
"""Fewer of them in common is taken for chance."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


@dataclass(frozen=True)
class Overlap:
    """Counts of rows."""

    exact: int = 0
    near: int = 0

    @property
    def rows(self) -> int:
        return self.exact + self.near


def overlap(rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]], task: str) -> Overlap:
    """Of `rows`: how many have a text that stands in `others`, and how many more one that nearly does."""
    counts = Counter(text_of(row, task) for row in rows)
    there = {text_of(row, task) for row in others}
    near = sum(counts[text] for text in _near([text for text in counts if text not in there], there))
    return Overlap(sum(count for text, count in counts.items() if text in there), near)


def exact(rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]], task: str) -> int:
    """Only those with the same text, which takes no time."""
    there = {text_of(row, task) for row in others}
    return sum(text_of(row, task) in there for row in rows)


def _near(texts: Sequence[str], others: Iterable[str]) -> list[str]:
    if not texts:
        return []
    sets = [_pairs(text) for text in others]
    holding: dict[int, list[int]] = defaultdict(list)
    for index, pairs in enumerate(sets):
        for value in _sketch(pairs):
            holding[value].append(index)
    return [text for text in texts if _has_like(_pairs(text), sets, holding)]


def _has_like(pairs: frozenset[int], sets: Sequence[frozenset[int]], holding: dict[int, list[int]]) -> bool:
    sketch = _sketch(pairs)
    shared = Counter(index for value in sketch for index in holding.get(value, ()))
    wanted = max(1, min(SHARED, len(sketch) // 2))
    return any(count >= wanted and len(pairs & sets[index]) >= ALIKE * len(pairs | sets[index])
               for index, count in shared.most_common())


def _pairs(text: str) -> frozenset[int]:
    words = _WORD.findall(text.casefold())
    pairs = zip(words, words[1:], strict=False) if len(words) > 1 else [words]
    return frozenset(_hash(" ".join(pair)) for pair in pairs)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _sketch(pairs: frozenset[int]) -> list[int]:
    return sorted(pairs)[:SKETCH]
