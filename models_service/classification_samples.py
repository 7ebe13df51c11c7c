"""Sample texts for classifiers, and whether a classifier still gives what it gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from models_service.engines.labelling import Labelled
from models_service.model_files import ModelUnusable

TOLERANCE = 0.05
"""How far a score, 0 to 1, may move."""
SURE = 0.6
"""An entity whose score is lower may be found by one number format and not by another."""
TEXTS = (
    "Marie Curie was born in Warsaw and worked at the University of Paris.", "The film was a waste of time.",
    "The central bank raised its rate by half a point.", "I love it!", "我在北京工作。",
    "Rain is expected in the north, and the match in Leeds was put off. " * 30,
)

Run = Callable[[Sequence[Any]], list[list[Labelled]]]


class Sample(BaseModel):
    text: str
    labelled: list[Labelled]


class ClassifierSamples(BaseModel):
    samples: list[Sample]


def made(run: Run) -> ClassifierSamples:
    return ClassifierSamples(samples=[
        Sample(text=text, labelled=[Labelled(**asdict(one)) for one in labelled])
        for text, labelled in zip(TEXTS, run(TEXTS), strict=True)
    ])


def compare(kept: ClassifierSamples, run: Run) -> None:
    """Raises ModelUnusable when a label's score has moved, or an entity that was sure is not there."""
    for sample, now in zip(kept.samples, run([sample.text for sample in kept.samples]), strict=True):
        scores = {(one.label, one.start, one.end): one.score for one in now}
        for then in sample.labelled:
            score = scores.get((then.label, then.start, then.end))
            gone = score is None and then.score >= SURE
            if gone or (score is not None and abs(score - then.score) > TOLERANCE):
                told = "does not find it" if score is None else f"gives it {score:.2f}"
                raise ModelUnusable(
                    f"Of {sample.text[:40]!r} it gave {then.label} {then.score:.2f} when it was registered; now it "
                    f"{told}."
                )
