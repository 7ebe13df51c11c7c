"""Terms that are always translated the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.scripts import CJK
from qa.writing.protected import Held

MAX_TERMS = 2_000
MAX_TERM_CHARACTERS = 200
_CJK_EDGE = re.compile(f"[{CJK}]")


@dataclass(frozen=True)
class Term:
    """`source` becomes `target`. Matched without regard to case unless `case_sensitive`."""

    source: str
    target: str
    case_sensitive: bool = False
    language: str = ""
    """Of the texts that it holds for; "" for all."""


class Glossary:
    """The terms of one translation, longest first, so that "steam engine" goes before "engine"."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._exact = {" ".join(term.source.split()): term for term in terms}
        self._folded = {source.lower(): term for source, term in self._exact.items() if not term.case_sensitive}
        ordered = sorted(filter(None, self._exact), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_as_word, ordered)), re.IGNORECASE) if ordered else None

    def find(self, text: str, taken: Sequence[Held] = ()) -> list[Held]:
        """Where the terms are, outside the pieces that are taken."""
        if self._pattern is None:
            return []
        found = []
        for match in self._pattern.finditer(text):
            said = " ".join(match.group().split())  # a line may end within a term
            term = self._exact.get(said) or self._folded.get(said.lower())
            free = all(match.end() <= held.start or match.start() >= held.end for held in taken if held.is_hard)
            if term is not None and free:
                found.append(Held(match.start(), match.end(), "term", term.target, said))
        return found


def _as_word(term: str) -> str:
    """The term as a whole word; Chinese has no spaces that would show one."""
    escaped = r"\s+".join(map(re.escape, term.split()))
    before = "" if _CJK_EDGE.match(term) or not term[0].isalnum() else r"(?<![^\W_])"
    after = "" if _CJK_EDGE.match(term[-1]) or not term[-1].isalnum() else r"(?![^\W_])"
    if before and ord(term[0]) < 128:
        before, after = before.replace(r"\W", r"\W" + CJK), after.replace(r"\W", r"\W" + CJK)
    return before + escaped + after
