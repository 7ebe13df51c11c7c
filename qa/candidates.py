"""Answer candidates: what the reader found in each passage, made comparable across passages and given a probability.

The reader's margin alone compares spans well within one passage. Across passages, how well the passage itself was
found and whether other passages say the same are evidence too; a logistic model, fitted on held-out questions and
kept beside the reader (`calibration.json`), weighs them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models_service.protocol import Calibration, SpanResult
from qa.passages import in_heading
from qa.retrieve import RetrievedPassage
from qa.sentences import sentences
from qa.terms import terms

UNCALIBRATED = Calibration(weights={"margin": 0.35}, intercept=-1.0)
"""For a reader that brings no calibration: right in order, rough in value."""
NOTHING_READ = -5.0
"""The margin of a passage in which the reader found no span at all."""
GAP_TO = 4
REPEATED_WORDS = 3
"""From so many words on, a question that stands in a passage is a repetition of it."""


@dataclass(frozen=True)
class Candidate:
    """A span in a retrieved passage; `start` and `end` are characters of its document.

    `source` is the passage's place in the retrieved list, from 0; `probability` that this span is the answer.
    """

    source: int
    text: str
    start: int
    end: int
    features: Mapping[str, float]
    probability: float


def candidates(
    question: str,
    passages: Sequence[RetrievedPassage],
    spans: Sequence[Sequence[SpanResult]],
    calibration: Calibration | None,
) -> list[Candidate]:
    """The spans of all passages, likeliest first. `spans[i]` are those that the reader found in `passages[i]`.

    Headings name what the text below them answers, a span over a line's end is no phrase, and a passage that repeats
    the question does not answer it there: none of these is a candidate.
    """
    weights = calibration or UNCALIBRATED
    stated = _stated(spans)
    asked = set(terms(question))
    repeated = _repetition(question)
    gap = _gap(passages)
    best = [max((span.score for span in own), default=NOTHING_READ) for own in spans]
    found = []
    for source, (retrieved, own) in enumerate(zip(passages, spans, strict=True)):
        passage = retrieved.passage
        overlap = _share(asked, f"{passage.document.title} {passage.text}")
        elsewhere = max((score for other, score in enumerate(best) if other != source), default=NOTHING_READ)
        borders = sentences(passage.text)
        repetitions = [match.span() for match in repeated.finditer(passage.text)] if repeated else []
        for rank, span in enumerate(own):
            if not _can_be_an_answer(span, passage.text):
                continue
            if any(span.start < end and span.end > start for start, end in repetitions):
                continue
            features = {
                "margin": span.score,
                "dense": retrieved.dense or 0.0,
                "first": 1.0 / (1 + source),
                "overlap": overlap,
                "support": float(min(stated[_key(span.text)] - (span.score > 0), 3)),
                "second": float(rank > 0),
                "above": max(span.score, 0.0),
                "lead": span.score - elsewhere,
                "ahead": max(span.score - elsewhere, 0.0),
                "sentence": _share(asked, _around(passage.text, borders, span)),
                "gap": gap,
            }
            found.append(Candidate(
                source, span.text, passage.start + span.start, passage.start + span.end, features,
                probability(features, weights),
            ))
    return sorted(found, key=lambda candidate: -candidate.probability)


def _share(asked: set[str], text: str) -> float:
    """Of the question's words, those that stand in `text`."""
    return len(asked & set(terms(text))) / max(len(asked), 1)


def _around(passage: str, borders: Sequence[tuple[int, int]], span: SpanResult) -> str:
    """The sentence of the span, or sentences."""
    touched = [(start, end) for start, end in borders if start < span.end and end > span.start]
    return passage[min([span.start, *(s for s, _ in touched)]) : max([span.end, *(e for _, e in touched)])]


def _gap(passages: Sequence[RetrievedPassage]) -> float:
    """How much nearer the first passage is than the fourth: near all alike, none of them is likely to answer."""
    near = [retrieved.dense or 0.0 for retrieved in passages[:GAP_TO]]
    return near[0] - near[-1] if near else 0.0


def _can_be_an_answer(span: SpanResult, passage: str) -> bool:
    return "\n" not in span.text.strip() and not in_heading(passage, span.start)


def _repetition(question: str) -> re.Pattern[str] | None:
    """Finds the question itself in a text; None when it is a word or two, which a text may well answer with."""
    words = re.findall(r"\w+", question)
    if len(words) < REPEATED_WORDS:
        return None
    return re.compile(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", re.IGNORECASE)


def probability(features: Mapping[str, float], calibration: Calibration) -> float:
    """The logistic model. A feature that the calibration does not weigh counts nothing."""
    total = calibration.intercept + sum(
        weight * features.get(name, 0.0) for name, weight in calibration.weights.items()
    )
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))


def _stated(spans: Sequence[Sequence[SpanResult]]) -> Counter[str]:
    """In how many passages each answer was found with a margin above "not answered here"."""
    return Counter(text for own in spans for text in {_key(span.text) for span in own if span.score > 0})


def _key(text: str) -> str:
    """Equal for answers that differ in case, articles and punctuation only."""
    return " ".join(terms(text)) or text.strip().lower()
