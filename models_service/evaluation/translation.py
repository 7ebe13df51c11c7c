"""Evaluate translations: BLEU (Papineni et al. 2002) and chrF (Popović 2015), as sacrebleu computes them.

The intervals are the percentile bootstrap over sentences (Koehn 2004), from sacrebleu's own counts a sentence.
sacrebleu's own resampling is not used: it fails where a resample's BLEU is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from models_service.engines.rewriting import Rewriting, Rewritten
from models_service.evaluation.bootstrap import LEVEL, RESAMPLES, SEED

BLEU_TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char"}
"""By target language; 13a, which splits at spaces and punctuation, for the others."""
CHUNK = 64
"""Sentences between two signs of progress."""


@dataclass(frozen=True)
class Scores:
    """0 to 100. A signature says how a figure was computed, so that another program can repeat it."""

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    signatures: dict[str, str]


def bleu_tokenizer(language: str) -> str:
    return BLEU_TOKENIZERS.get(language[:2], "13a")


def scores(translations: Sequence[str], references: Sequence[str], target: str) -> Scores:
    """Of a whole set, into the language `target`; one reference a translation."""
    metrics, intervals, signatures = {}, {}, {}
    for name, metric in (("bleu", BLEU(tokenize=bleu_tokenizer(target))), ("chrf", CHRF())):
        metrics[name] = round(float(metric.corpus_score(list(translations), [list(references)]).score), 4)
        intervals[name] = _interval(metric, translations, references)
        signatures[name] = str(metric.get_signature())
    return Scores(metrics, intervals, signatures)


def _interval(metric: Metric, translations: Sequence[str], references: Sequence[str]) -> tuple[float, float]:
    counts = np.array(metric._extract_corpus_statistics(list(translations), [list(references)]), dtype=np.int64)
    rng = np.random.default_rng(SEED)
    resampled = [
        float(metric._compute_score_from_stats(counts[rng.integers(len(counts), size=len(counts))].sum(axis=0)).score)
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return round(float(low), 4), round(float(high), 4)


def translated(
    run: Callable[[Sequence[Rewriting]], list[Rewritten]], inputs: Sequence[Rewriting],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[str]:
    """The best translation of each input; `run` is an engine's."""
    texts: list[str] = []
    for begin in range(0, len(inputs), CHUNK):
        texts += [one.candidates[0].text for one in run(inputs[begin : begin + CHUNK])]
        progress(len(texts), len(inputs))
    return texts
