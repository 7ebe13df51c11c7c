"""Translation models made of a few lines, for tests of what is done around them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Pair:
    source: str
    target: str
    model: str = "capitals"
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass
class Candidate:
    text: str
    score: float


@dataclass
class Done:
    translations: list[list[Candidate]]


class Capitals:
    """Writes all but names in capital letters, and remembers what it was asked."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = [Pair(source, target) for source, target in pairs or [("en", "de"), ("de", "en")]]
        self.asked: list[str] = []

    async def languages(self) -> list[Pair]:
        return self.pairs

    async def translate(
        self, texts: Sequence[str], *, source: str, target: str, n_best: int = 1, model: str | None = None,
        client: str = "",
    ) -> Done:
        assert 1 <= len(texts) <= 512 and all(0 < len(text) <= 2_000 for text in texts)
        self.asked += texts
        return Done([[Candidate(text, -0.5 - number) for number, text in enumerate(self.written(text, n_best))]
                     for text in texts])

    def written(self, text: str, n_best: int) -> list[str]:
        names = ("Tom", "Mary", "Boston")
        words = [word if word.strip(".,!?") in names else word.upper() for word in text.split(" ")]
        return [" ".join(words), *(" ".join([*words, "!" * number]) for number in range(1, n_best))]


class Forgetful(Capitals):
    """Loses words, doubles others, and puts line breaks and tags where none belong; the same for the same text."""

    def written(self, text: str, n_best: int) -> list[str]:
        made = []
        for number in range(n_best):
            words = []
            for place, word in enumerate(text.split(" ")):
                chance = zlib.crc32(f"{text}{place}{number}".encode()) % 10
                words += [] if chance < 4 else [word, word] if chance < 5 else ["<b>\n\n&"] if chance < 6 else [word]
            made.append(" ".join(words))
        return made
