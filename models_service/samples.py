"""Sample inputs of each kind of model, what a version gave for them, and whether it still gives the same.

They are computed when a version is registered and kept beside its weights. A version is served only when it gives
them again: so what is served is what was evaluated, on whatever machine, number format and library version it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from models_service import classification_samples, generator_samples, translation_samples
from models_service.classification_samples import ClassifierSamples
from models_service.engines.pairs import Pair
from models_service.engines.reading import Reading, Span
from models_service.engines.summarizing import Document
from models_service.model_files import LEAST_AGREEMENT, SAMPLES_FILE, Form, Kind, ModelUnusable
from models_service.protocol import SpanResult
from models_service.translation_samples import TranslatorSamples

MARGIN_TOLERANCE: dict[Form, float] = {"float32": 0.25, "bfloat16": 0.25, "int8": 0.5}
MARGIN_SHARE = 0.02
"""How far a span's score may move: this much, and this share of it. Of the starter reader on these samples bfloat16
moves none by more than 0.12, and 8 bits by 0.31."""
SCORE_TOLERANCE = 0.03
"""How far a sentence's score, 0 to 1, may move."""

_BRIDGE = (
    "The bridge over the strait was opened to traffic in October 1973, fifty years after the republic was founded."
)
_TOWER = (
    "The tower was raised for the World's Fair of 1889 by the company of Gustave Eiffel. Stephen Sauvestre drew its "
    "arches, and Maurice Koechlin worked out its frame. It stood 300 metres high and was to be taken down after "
    "twenty years, but its use for wireless telegraphy saved it."
)
_RIVER = "The river rises in the Black Forest and runs through ten countries before it reaches the sea. " * 12
TEXTS = (
    "When was the bridge opened?", _BRIDGE, _TOWER, _RIVER + _TOWER, "a", "The price rose by 12.5 % to $1,300.",
    "def add(a, b): return a + b", "桥是什么时候开通的？",
)
READINGS = (
    Reading("When was the bridge opened?", _BRIDGE),
    Reading("How many years after the republic was the bridge opened?", _BRIDGE),
    Reading("Who drew the arches of the tower?", _TOWER),
    Reading("How high was the tower?", _TOWER),
    Reading("What saved the tower?", _RIVER + _TOWER),
    Reading("Where does the river rise?", _RIVER + _TOWER),
    Reading("Who painted the ceiling?", _BRIDGE),
    Reading("桥是什么时候开通的？", "这座桥于1973年10月开通，全长1560米。"),
)

DOCUMENTS = (
    tuple(f"{sentence}." for sentence in _TOWER.rstrip(".").split(". ")),
    ("The bridge", _BRIDGE, "It was the longest of its kind.", "Two towers carry it.", "", _RIVER),
    ("这座桥于1973年10月开通。", "全长1560米。", "它连接两个大洲。"), ("One sentence alone.",),
)
"""Sentences of a text each."""


class EncoderSamples(BaseModel):
    texts: list[str]
    vectors: list[list[float]]


class ReaderSample(BaseModel):
    question: str
    passage: str
    spans: list[SpanResult]


class ReaderSamples(BaseModel):
    readings: list[ReaderSample]


class RerankerSamples(BaseModel):
    pairs: list[tuple[str, str]]
    scores: list[float]


class SummarizerSample(BaseModel):
    sentences: list[str]
    scores: list[float]


class SummarizerSamples(BaseModel):
    documents: list[SummarizerSample]


Run = Callable[[Sequence[Any]], list[Any]]
"""An engine's `run`, or a summarizer's `summarize`."""


def _run_of(engine: Any, kind: Kind) -> Run:
    """What the samples are of: an engine's outputs; of a summarizer's, which are vectors, what it makes of them."""
    return engine.summarize if kind == "summarizer" else engine.run


def write(folder: Path, kind: Kind, engine: Any) -> None:
    """Compute the samples with a loaded engine and keep them in its folder."""
    run = _run_of(engine, kind)
    made: BaseModel
    if kind == "classifier":
        made = classification_samples.made(run)
    elif kind == "translator":
        made = translation_samples.made(folder, run)
    else:
        made = {"encoder": _encoded, "reader": _read, "reranker": _ranked, "summarizer": _summarized,
                "generator": generator_samples.continued}[kind](run)
    folder.mkdir(exist_ok=True)
    (folder / SAMPLES_FILE).write_text(made.model_dump_json() + "\n", encoding="utf-8")


def check(folder: Path, kind: Kind, engine: Any) -> bool:
    """Compute the folder's samples anew with a loaded engine; False when it has none.

    Raises:
        ModelUnusable: the results are not those that were kept; the sentence says where they part.
    """
    file = folder / SAMPLES_FILE
    if not file.is_file():
        return False
    run = _run_of(engine, kind)
    try:
        if kind == "encoder":
            _compare_vectors(EncoderSamples.model_validate_json(file.read_bytes()), run, LEAST_AGREEMENT[engine.form])
        elif kind == "reader":
            _compare_spans(ReaderSamples.model_validate_json(file.read_bytes()), run, MARGIN_TOLERANCE[engine.form])
        elif kind == "generator":
            kept = generator_samples.GeneratorSamples.model_validate_json(file.read_bytes())
            generator_samples.compare(kept, run, engine.dtype)
        elif kind == "summarizer":
            _compare_summaries(SummarizerSamples.model_validate_json(file.read_bytes()), run)
        elif kind == "classifier":
            classification_samples.compare(ClassifierSamples.model_validate_json(file.read_bytes()), run)
        elif kind == "translator":
            translation_samples.compare(TranslatorSamples.model_validate_json(file.read_bytes()), run)
        else:
            _compare_scores(RerankerSamples.model_validate_json(file.read_bytes()), run)
    except ValidationError:
        raise ModelUnusable(f"{SAMPLES_FILE} cannot be read.") from None
    return True


def _encoded(run: Run) -> EncoderSamples:
    return EncoderSamples(
        texts=list(TEXTS), vectors=[[round(float(value), 6) for value in vector] for vector in run(TEXTS)]
    )


def _read(run: Run) -> ReaderSamples:
    return ReaderSamples(readings=[
        ReaderSample(question=one.question, passage=one.passage, spans=[SpanResult(**asdict(span)) for span in spans])
        for one, spans in zip(READINGS, run(READINGS), strict=True)
    ])


def _ranked(run: Run) -> RerankerSamples:
    pairs = [(one.question, one.passage) for one in READINGS]
    return RerankerSamples(pairs=pairs, scores=run([Pair(*pair) for pair in pairs]))


def _summarized(run: Run) -> SummarizerSamples:
    documents = [Document(sentences) for sentences in DOCUMENTS]
    return SummarizerSamples(documents=[
        SummarizerSample(sentences=list(document.sentences), scores=list(summary.scores))
        for document, summary in zip(documents, run(documents), strict=True)
    ])


def _compare_vectors(kept: EncoderSamples, run: Run, least: float) -> None:
    for text, then, now in zip(kept.texts, kept.vectors, run(kept.texts), strict=True):
        if len(then) != len(now):
            raise ModelUnusable(f"It gives vectors of {len(now)} numbers, and of {len(then)} when it was registered.")
        cosine = float(np.dot(then, now) / max(np.linalg.norm(then) * np.linalg.norm(now), 1e-12))
        if not cosine >= least:
            raise ModelUnusable(
                f"Its vector for {text[:40]!r} agrees only {cosine:.4f} with the one of when it was registered."
            )


def _compare_spans(kept: ReaderSamples, run: Run, tolerance: float) -> None:
    inputs = [Reading(one.question, one.passage) for one in kept.readings]
    for one, now in zip(kept.readings, run(inputs), strict=True):
        if not one.spans and not now:
            continue
        if not one.spans or not now:
            raise ModelUnusable(f"For {one.question!r} it finds spans only now, or found some only then.")
        best = one.spans[0]
        same = _same_span(best, now)
        if same is None or not all(_near(score, best.score, tolerance) for score in (same.score, now[0].score)):
            found = f"{same.score:.2f}" if same else "not at all"
            raise ModelUnusable(
                f"For {one.question!r} it found {best.text[:40]!r} with a score of {best.score:.2f} when it was "
                f"registered; now it finds that {found}, and {now[0].text[:40]!r} first, with {now[0].score:.2f}."
            )


def _compare_scores(kept: RerankerSamples, run: Run) -> None:
    for (query, _), then, now in zip(kept.pairs, kept.scores, run([Pair(*pair) for pair in kept.pairs]), strict=True):
        if not _near(now, then, MARGIN_TOLERANCE["float32"]):
            raise ModelUnusable(f"For {query!r} it gives {now:.2f}; it gave {then:.2f} when it was registered.")


def _compare_summaries(kept: SummarizerSamples, run: Run) -> None:
    """By the scores: which sentences are chosen follows from them and may turn on a hair."""
    summaries = run([Document(tuple(one.sentences)) for one in kept.documents])
    for one, now in zip(kept.documents, summaries, strict=True):
        for sentence, before, after in zip(one.sentences, one.scores, now.scores, strict=True):
            if abs(after - before) > SCORE_TOLERANCE:
                raise ModelUnusable(
                    f"It gives {sentence[:40]!r} {after:.3f}; it gave {before:.3f} when it was registered."
                )


def _same_span(wanted: SpanResult, spans: Sequence[Span]) -> Span | None:
    return next((span for span in spans if (span.start, span.end) == (wanted.start, wanted.end)), None)


def _near(now: float, then: float, tolerance: float) -> bool:
    return abs(now - then) <= tolerance + MARGIN_SHARE * abs(then)
