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
from qa.candidates import Candidate, candidates, probability
from qa.confidence import Figures, figures
from qa.evaluation import RIGHT_FROM_F1
from qa.open_collection import NAME, OpenCollection
from qa.quote import PASSAGES_READ, SPANS_PER_PASSAGE
from qa.retrieve import retrieve

WITHOUT_GOLD_SHARE = 0.25
"""Of the questions, asked with their paragraph taken away: what a collection that does not know looks like."""
SEED = 13
FOLDS = 5
FEATURES = (
    "margin", "above", "lead", "ahead", "dense", "gap", "first", "overlap", "sentence", "support", "second",
)


@dataclass(frozen=True)
class Observed:
    """One question's candidates and, for each, whether it is right; `without`: its paragraph was taken away.

    Of the texts of one `article` none is fitted on when another is measured on; of one `paragraph`, where there are
    too few articles.
    """

    candidates: list[Candidate]
    right: list[bool]
    without: bool = False
    article: str = ""
    paragraph: str = ""


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
        ], without, question.title, question.context))
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


def measured(data: Sequence[str], seen: Sequence[Observed]) -> Figures | None:
    """What the confidence of `fit` is worth: each text's questions by a fit on the other texts' questions.

    None when the questions are about fewer than FOLDS texts, so that there are no others. Raises ValueError as `fit`.
    """
    group_of = [one.article or one.paragraph for one in seen]
    if len(set(group_of)) < FOLDS:
        group_of = [one.paragraph for one in seen]
    groups = sorted(set(group_of))
    if len(groups) < FOLDS:
        return None
    random.Random(SEED).shuffle(groups)
    fold_of = {group: number % FOLDS for number, group in enumerate(groups)}
    confidence, right = [0.0] * len(seen), [False] * len(seen)
    for fold in range(FOLDS):
        fitted = fit([one for one, group in zip(seen, group_of, strict=True) if fold_of[group] != fold])
        for place, one in enumerate(seen):
            if fold_of[group_of[place]] == fold and one.candidates:
                chances = [probability(candidate.features, fitted) for candidate in one.candidates]
                confidence[place] = max(chances)
                right[place] = one.right[int(np.argmax(chances))]
    return figures(data, confidence, right, [one.without for one in seen])
