"""Fit what turns a reader's margins into probabilities, on questions that the reader was not trained on.

A logistic model over the features of `qa.candidates` orders the candidates of all passages; a second one, over the
chosen candidate alone (Platt 1999), makes its probability true: the best of thirty candidates is not right as often
as a candidate with its features is on the average. Both are linear in the log odds, so they fold into one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from models_service.client import Models
from models_service.evaluation import squad
from models_service.formats.squad import Question
from models_service.protocol import Calibration
from qa.answer import PASSAGES_FOUND
from qa.candidates import Candidate, candidates
from qa.evaluation import RIGHT_FROM_F1
from qa.open_collection import NAME, OpenCollection
from qa.quote import PASSAGES_READ, SPANS_PER_PASSAGE
from qa.retrieve import retrieve

WITHOUT_GOLD_SHARE = 0.25
"""Of the questions, asked with their paragraph taken away: what a collection that does not know looks like."""
SEED = 13
FEATURES = ("margin", "dense", "first", "overlap", "support", "second")


@dataclass(frozen=True)
class Observed:
    """One question's candidates and, for each, whether it is right."""

    candidates: list[Candidate]
    right: list[bool]


def drawn(questions: Sequence[Question], limit: int | None) -> list[Question]:
    """At most `limit` of them, always the same ones."""
    if limit is None or len(questions) <= limit:
        return list(questions)
    return random.Random(SEED).sample(list(questions), limit)


async def observe(
    questions: Sequence[Question],
    collection: OpenCollection,
    models: Models,
    *,
    seed: int = SEED,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Observed]:
    """What the reader finds for each question, right or wrong."""
    rng = random.Random(seed)
    seen = []
    for number, question in enumerate(questions, start=1):
        found = await retrieve(question.question, [(NAME, collection.index)], models, PASSAGES_FOUND)
        gold = collection.gold[question.context]
        without = rng.random() < WITHOUT_GOLD_SHARE
        passages = [p for p in found if not (without and p.passage.document.id == gold)][:PASSAGES_READ]
        done = await models.read(question.question, [p.passage.text for p in passages], n_best=SPANS_PER_PASSAGE)
        own = candidates(question.question, passages, done.spans, None)
        seen.append(Observed(own, [
            not without and squad.f1(candidate.text, question.texts) >= RIGHT_FROM_F1 for candidate in own
        ]))
        if number % 20 == 0 or number == len(questions):
            progress(number, len(questions))
    return seen


def fit(seen: Sequence[Observed]) -> Calibration:
    """The folded model.

    Raises:
        ValueError: no candidate is right, or all are: there is nothing to tell apart.
    """
    rows = np.array([[c.features[name] for name in FEATURES] for one in seen for c in one.candidates])
    right = np.array([label for one in seen for label in one.right])
    _both_needed(right)
    ordering = LogisticRegression(C=10.0, max_iter=2000).fit(rows, right)
    weights = dict(zip(FEATURES, ordering.coef_[0], strict=True))
    intercept = float(ordering.intercept_[0])
    scores, hits = [], []
    for one in seen:
        if one.candidates:
            odds = [intercept + sum(weights[n] * c.features[n] for n in FEATURES) for c in one.candidates]
            best = int(np.argmax(odds))
            scores.append([odds[best]])
            hits.append(one.right[best])
    _both_needed(hits)
    chosen = LogisticRegression(C=1e6, max_iter=2000).fit(np.array(scores), np.array(hits))
    slope, shift = float(chosen.coef_[0][0]), float(chosen.intercept_[0])
    return Calibration(
        weights={name: round(slope * float(weight), 5) for name, weight in weights.items()},
        intercept=round(slope * intercept + shift, 5),
    )


def _both_needed(right: Sequence[bool]) -> None:
    if len(set(map(bool, right))) < 2:
        raise ValueError("right and wrong answers are both needed to fit a calibration; give more questions")


def expected_calibration_error(probabilities: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """The mean distance between confidence and accuracy over `bins` equal steps of confidence (Guo et al. 2017)."""
    p, hit = np.asarray(probabilities, dtype=float), np.asarray(right, dtype=float)
    bin_of = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[bin_of == b].mean() - hit[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of.tolist())]
    return float(sum(gaps))
