"""Does a passage support a sentence? Meaning (cosine of the encoder) and words (how many of the sentence's it holds).

A check of likeness, not of logic: a number that the passage does not hold is noticed, a "not" too many is not.

The thresholds are chosen by hand: there is no data set of generated answers and passages here to fit them on. How
they do on the nearest thing, SciTLDR's one-sentence summaries by people (first 600 of dev, the last reference each):
66 % are held supported by the abstract of their own paper, 12 % by the likest other one. Summaries may say what only
the paper says, so the first figure is a lower bound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_service.client import Models, ModelsError
from qa.marks import SHOWN, without_marks
from qa.scripts import is_cjk
from qa.sentences import sentences
from qa.terms import stem, terms

COSINE_FROM = 0.6
OVERLAP_FROM = 0.4
"""Both reached: supported."""
OVERLAP_ALONE_FROM = 0.75
OVERLAP_CJK_FROM = 0.5
"""Of bigrams; the starter encoder knows no Chinese, so its cosines are not asked."""
FEWEST_TERMS = 2
"""A sentence with fewer states nothing that can be checked, unless it cites something: "1889 [1]."."""

_LEADING_MARKS = re.compile(r"(?:\[\d{1,3}\]\s*)+")
_NO_CLAIM = re.compile(r"\s*(?:#{1,6}\s|```|~~~|\|[\s:|-]+\|\s*$)|.*[:：]\s*$", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """A sentence of the answer: its place there, its text without marks, and the passages it cites, from 0.

    `cited` is None when it cites none, and empty when it cites only passages that do not exist.
    """

    start: int
    end: int
    text: str
    cited: tuple[int, ...] | None


@dataclass(frozen=True)
class Evidence:
    """The sentence of a passage that is likest to a claim: its place in the passage, and how like it is."""

    passage: int
    start: int
    end: int
    cosine: float
    overlap: float
    supports: bool

    @property
    def score(self) -> float:
        return max(0.0, min(1.0, self.cosine if self.cosine else self.overlap))

    @property
    def rank(self) -> tuple[bool, float]:
        return self.supports, self.cosine + self.overlap


@dataclass(frozen=True)
class Checked:
    claim: Claim
    evidence: tuple[Evidence, ...]
    """One for each passage looked at."""

    @property
    def supported(self) -> bool:
        return any(each.supports for each in self.evidence)


def claims(answer: str, passage_of_mark: Sequence[int]) -> list[Claim]:
    """The answer's sentences that state something. `passage_of_mark[n - 1]` is what mark [n] stands for, from 0."""
    found = []
    for start, end in _with_their_marks(answer):
        said = answer[start:end]
        text = without_marks(said).strip()
        numbers = [int(number) for number in SHOWN.findall(said)]
        if len(set(terms(text))) < (1 if numbers else FEWEST_TERMS) or _NO_CLAIM.match(text):
            continue
        known = {passage_of_mark[number - 1]: None for number in numbers if 1 <= number <= len(passage_of_mark)}
        found.append(Claim(start, end, text, tuple(known) if numbers else None))
    return found


def _with_their_marks(answer: str) -> list[tuple[int, int]]:
    """Sentences; marks that stand after a sentence's stop belong to it, not to the next. Code is left out."""
    found: list[tuple[int, int]] = []
    in_code = False
    for start, end in sentences(answer):
        fence = answer.startswith(("```", "~~~"), start)
        if fence or in_code:
            in_code ^= fence and not answer[start + 3 : end].rstrip().endswith("```")
            continue
        leading = _LEADING_MARKS.match(answer, start, end)
        if leading and found and "\n" not in answer[found[-1][1] : start]:
            found[-1] = (found[-1][0], start + len(leading.group().rstrip()))
            start = leading.end()
        if start < end:
            found.append((start, end))
    return found


async def check(
    answer_claims: Sequence[Claim], passages: Sequence[str], models: Models, *, client: str = ""
) -> list[Checked]:
    """Each claim with what supports it: of the passages that it cites, or of all when it names none.

    Without an encoder the words alone decide.
    """
    pieces = {number: sentences(text) for number, text in enumerate(passages)}
    looked_at = [
        range(len(passages)) if claim.cited is None else claim.cited for claim in answer_claims
    ]
    used = sorted({number for numbers in looked_at for number in numbers})
    texts = [claim.text for claim in answer_claims]
    rows: dict[tuple[int, int], int] = {}
    for number in used:
        for place, (start, end) in enumerate(pieces[number]):
            rows[number, place] = len(texts)
            texts.append(passages[number][start:end])
    try:
        vectors = await models.embed(texts, client=client) if texts else np.zeros((0, 1), dtype=np.float32)
    except ModelsError:
        vectors = np.zeros((len(texts), 1), dtype=np.float32)
    checked = []
    for row, (claim, numbers) in enumerate(zip(answer_claims, looked_at, strict=True)):
        evidence = []
        for number in numbers:
            cosines = [float(vectors[row] @ vectors[rows[number, place]]) for place in range(len(pieces[number]))]
            if cosines:
                evidence.append(_likest(claim.text, number, passages[number], pieces[number], cosines))
        checked.append(Checked(claim, tuple(evidence)))
    return checked


def _likest(
    claim: str, number: int, passage: str, places: Sequence[tuple[int, int]], cosines: Sequence[float]
) -> Evidence:
    wanted = _stems(claim)
    overlaps = [_share(wanted, _stems(passage[start:end])) for start, end in places]
    cjk = is_cjk(claim)
    best = max(range(len(places)), key=lambda place: overlaps[place] + (0 if cjk else cosines[place]))
    held = _stems(passage)
    overlap = _share(wanted, held)
    cosine = 0.0 if cjk else max(cosines)
    numbers_held = all(stem in held for stem in wanted if any(character.isdigit() for character in stem))
    enough = overlap >= OVERLAP_CJK_FROM if cjk else (
        overlap >= OVERLAP_ALONE_FROM or (overlap >= OVERLAP_FROM and cosine >= COSINE_FROM)
    )
    return Evidence(number, *places[best], cosine, overlap, numbers_held and enough)


def _share(wanted: set[str], held: set[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0


def _stems(text: str) -> set[str]:
    """Words with their commonest English endings cut off, so that "bridges opened" and "opening a bridge" meet."""
    return {stem(word) for word in terms(text)}
