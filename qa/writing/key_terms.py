"""The key terms of a text, told by its own statistics: how often, where, in how many sentences, beside what.

For languages that put spaces between words after YAKE (Campos et al. 2020), without its list of stop words for each
language: words that stand in a large part of all sentences are taken for such. For Chinese and Japanese, runs of
characters that hold together (pointwise mutual information) and stand beside many different ones (entropy), as new
words are found (Luo and Sun 2003). No model is asked.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from qa.scripts import CJK, is_cjk
from qa.terms import STOP_WORDS
from qa.writing.summary_sentences import Range

METHOD = "key terms by statistics of the text"
MOST_CHARACTERS = 400_000
"""Of the text. Of a longer one every second sentence is read, or third: memory grows with what is read."""
LONGEST = 3
"""Words of a term; characters of a Chinese one are at most LONGEST_CJK."""
LONGEST_CJK = 6
PHRASE_BONUS = 0.25
"""For each further word: "beach boys" says more than "boys"."""
FUNCTION_SHARE = 0.25
"""A short word in so many of all sentences says nothing of the text, whatever the language."""

_WORD = re.compile(rf"(?:(?![{CJK}])[^\W\d_])(?:(?![{CJK}])[\w'’\-])*|(?P<other>\d[\w.,]*|[^\s\w])")
_RUN = re.compile(rf"[{CJK}]+")
_MORE_STOP_WORDS = frozenset("""
    aber als am an auch auf aus bei bin bis da dann das dass dem den der des die doch dort du durch ein eine einem
    einen einer eines er es für hat hatte ich ihr im in ist ja kann man mehr mit nach nicht noch nur ob oder ohne sein
    seine sich sie sind so über um und uns unter vom von vor war waren was wenn wer wie wird wir wurde wurden zu zum
    zur au aux avec ce ces cette comme dans de des du elle elles en est et eux il ils je la le les leur leurs lui ma
    mais même mes ne nos notre nous on ont ou où par pas plus pour qu que qui sa sans se ses son sont sur un une vos
    vous
    may one two new many much also however first since said say says told found find made make makes making use used
    using get got go went take took come came see seen last next year years people way well like still even back
    despite including without around according want wants turn turned became become
""".split())
_CJK_FUNCTION = frozenset("的了是在和与有也就都而及着或一个不这那其为之以于对从到把被让使又所很但并等中上下们地得将"
                          "我你他她它们此该各每可能会要个年月日时分")


@dataclass(frozen=True)
class KeyTerm:
    """`text[start:end]` is where it is met first. `score` is 1 for the best."""

    start: int
    end: int
    score: float


def key_terms(text: str, sentences: Sequence[Range], count: int) -> list[KeyTerm]:
    """The `count` most telling terms, best first; fewer where the text has no more."""
    sampled = _sampled(sentences)
    ranked = _cjk_terms(text, sampled) if is_cjk(text[: MOST_CHARACTERS // 10]) else _spaced_terms(text, sampled)
    best: list[tuple[float, int, int]] = []
    said: list[str] = []
    for goodness, start, end in ranked:
        term = _plain(text[start:end])
        if any(term in other or other in term for other in said):
            continue
        best.append((goodness, start, end))
        said.append(term)
        if len(best) == count:
            break
    top = best[0][0] if best else 1.0
    return [KeyTerm(start, end, round(goodness / top, 4) if top else 0.0) for goodness, start, end in best]


def _sampled(sentences: Sequence[Range]) -> Sequence[Range]:
    characters = sum(end - start for start, end in sentences)
    return sentences[:: -(-characters // MOST_CHARACTERS)] if characters > MOST_CHARACTERS else sentences


def _plain(term: str) -> str:
    """As it is compared: without the plural's s, so that "river" and "rivers" are one."""
    return " ".join(re.sub(r"(?<=\w{3})(?:es|s)$", "", word) for word in term.lower().split())


@dataclass
class _Word:
    count: int = 0
    capital: int = 0
    sentences: list[int] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    score: float = 0.0
    """YAKE's: the lower, the more telling."""


def _spaced_terms(text: str, sentences: Sequence[Range]) -> list[tuple[float, int, int]]:
    """(goodness, start, end), best first."""
    chunks: list[list[tuple[str, int, int]]] = []
    words: defaultdict[str, _Word] = defaultdict(_Word)
    for number, (start, end) in enumerate(sentences):
        for chunk in _chunks(text, start, end):
            chunks.append(chunk)
            for place, (word, begins, ends) in enumerate(chunk):
                known = words[word]
                known.count += 1
                known.capital += begins > start and text[begins : begins + 1].isupper() and ends - begins > 1
                if not known.sentences or known.sentences[-1] != number:
                    known.sentences.append(number)
                if place:
                    before = chunk[place - 1][0]
                    known.left[before] += 1
                    words[before].right[word] += 1
    silent = _silent(words, len(sentences))
    _score(words, silent, len(sentences))
    return _phrases(text, chunks, words, silent)


def _chunks(text: str, start: int, end: int) -> list[list[tuple[str, int, int]]]:
    """Words that follow each other with nothing but white space between."""
    found: list[list[tuple[str, int, int]]] = [[]]
    for match in _WORD.finditer(text, start, end):
        if match.lastgroup == "other":
            found.append([])
        else:
            word = match.group().rstrip("'’-")
            found[-1].append((word.lower(), match.start(), match.start() + len(word)))
    return [chunk for chunk in found if chunk]


def _silent(words: dict[str, _Word], sentences: int) -> set[str]:
    """Words that say nothing: those of the lists, and the short ones that stand nearly everywhere."""
    least = max(4, FUNCTION_SHARE * sentences)
    return {
        word for word, known in words.items()
        if word in STOP_WORDS or word in _MORE_STOP_WORDS or len(word) < 3
        or (len(word) <= 4 and len(known.sentences) >= least and known.capital < 0.5 * known.count)
    }


def _score(words: dict[str, _Word], silent: set[str], sentences: int) -> None:
    counts = [known.count for word, known in words.items() if word not in silent] or [1]
    mean = sum(counts) / len(counts)
    deviation = math.sqrt(sum((count - mean) ** 2 for count in counts) / len(counts))
    most = max(known.count for known in words.values()) if words else 1
    for known in words.values():
        middle = known.sentences[len(known.sentences) // 2]
        position = math.log(math.log(3 + middle) + 1)
        case = known.capital / (1 + math.log(known.count))
        frequency = known.count / (mean + deviation)
        spread = len(known.sentences) / max(sentences, 1)
        beside = 1.0
        for side in (known.left, known.right):
            beside += (len(side) / max(sum(side.values()), 1)) * known.count / most
        known.score = beside * position / (case + frequency / beside + spread / beside + 1e-6)


def _phrases(
    text: str, chunks: Sequence[Sequence[tuple[str, int, int]]], words: dict[str, _Word], silent: set[str]
) -> list[tuple[float, int, int]]:
    count: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], Range] = {}
    for chunk in chunks:
        for start in range(len(chunk)):
            for size in range(1, min(LONGEST, len(chunk) - start) + 1):
                run = tuple(word for word, _, _ in chunk[start : start + size])
                if run[0] in silent or run[-1] in silent:
                    continue
                count[run] += 1
                first.setdefault(run, (chunk[start][1], chunk[start + size - 1][2]))
    least = 2 if len(chunks) > 40 else 1
    ranked = []
    for run, often in count.items():
        if often < least and not all(words[word].capital for word in run):
            continue
        product, total = 1.0, 0.0
        for word in run:
            if word in silent:
                continue
            product *= words[word].score
            total += words[word].score
        # YAKE's scores span many orders of magnitude: their logarithm is what people can read.
        goodness = math.log1p(often * (1 + total) / (product + 1e-9))
        ranked.append((goodness * (1 + PHRASE_BONUS * (len(run) - 1)), *first[run]))
    return sorted(ranked, key=lambda each: (-each[0], each[1]))


def _cjk_terms(text: str, sentences: Sequence[Range]) -> list[tuple[float, int, int]]:
    count: Counter[str] = Counter()
    first: dict[str, Range] = {}
    spread: Counter[str] = Counter()
    beside: tuple[defaultdict[str, Counter[str]], defaultdict[str, Counter[str]]] = (
        defaultdict(Counter), defaultdict(Counter))
    runs = [(match.group(), match.start()) for start, end in sentences for match in _RUN.finditer(text, start, end)]
    for run, at in runs:
        count.update(run)
        grams = {run[i : i + size] for size in range(2, LONGEST_CJK + 1) for i in range(len(run) - size + 1)}
        spread.update(grams)
        for size in range(2, LONGEST_CJK + 1):
            for i in range(len(run) - size + 1):
                gram = run[i : i + size]
                count[gram] += 1
                first.setdefault(gram, (at + i, at + i + size))
    often = {gram for gram, times in count.items() if len(gram) > 1 and times > 1}
    for run, _at in runs:
        for size in range(2, LONGEST_CJK + 1):
            for i in range(len(run) - size + 1):
                gram = run[i : i + size]
                if gram in often:
                    beside[0][gram][run[i - 1 : i] or "^"] += 1
                    beside[1][gram][run[i + size : i + size + 1] or "$"] += 1
    total = sum(times for gram, times in count.items() if len(gram) == 1) or 1
    ranked = []
    for gram in often:
        if any(character in _CJK_FUNCTION for character in (gram[0], gram[-1])):
            continue
        parts = [count[gram[:i]] * count[gram[i:]] for i in range(1, len(gram))]
        cohesion = math.log(count[gram] * total / max(parts))
        freedom = min(_entropy(beside[0][gram]), _entropy(beside[1][gram]))
        if cohesion > 1 and freedom > 0.5:
            ranked.append((cohesion * freedom * math.log1p(spread[gram]) * math.sqrt(len(gram)), *first[gram]))
    if not ranked:  # a few sentences in which hardly anything is said twice
        ranked = [(math.log1p(count[gram]) * len(gram), *place) for gram, place in first.items()
                  if len(gram) <= 4 and not any(character in _CJK_FUNCTION for character in gram)]
    return sorted(ranked, key=lambda each: (-each[0], each[1]))


def _entropy(beside: Counter[str]) -> float:
    """Of what stands beside; a run's border counts each time as something else, for a word may always end there."""
    total = sum(beside.values())
    borders = beside.get("^", 0) + beside.get("$", 0)
    within = -sum(times / total * math.log(times / total) for side, times in beside.items() if side not in "^$")
    return within + borders / total * math.log(total) if total else 0.0
