"""Evaluate summaries against those that people wrote: ROUGE of a summarizer and of baselines on the same texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from models_service.evaluation import rouge
from models_service.evaluation import summary_baselines as baselines
from models_service.formats.summaries import Summarized
from models_service.words import count_words

CHUNK = 10
"""Texts between two signs of progress."""
Summarizer = Callable[[str, int], Sequence[str]]
"""A text and about how many words are wanted; the summary's sentences."""


def score(
    rows: Sequence[Summarized], summarize: Summarizer, wanted: Callable[[Summarized], int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, list[float]]:
    """For each text the measures of ROUGE, 0 to 1, and how many words the summary has for each one wanted."""
    values: dict[str, list[float]] = {name: [] for name in (*rouge.NAMES, "words")}
    for number, row in enumerate(rows, start=1):
        words = wanted(row)
        summary = summarize(row.text, words)
        for name, value in rouge.scores(summary, row.summaries).items():
            values[name].append(value)
        values["words"].append(sum(map(count_words, summary)))
        if number % CHUNK == 0 or number == len(rows):
            progress(number, len(rows))
    return values


def score_baselines(
    rows: Sequence[Summarized], split: Callable[[str], list[str]], wanted: Callable[[Summarized], int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Mapping[str, dict[str, list[float]]]:
    """The same of each baseline; `split` gives a text's sentences."""
    made: dict[str, dict[str, list[float]]] = {}
    for name, baseline in (
        ("lead", baselines.lead), ("random", baselines.drawn), ("textrank", baselines.textrank),
    ):
        made[name] = score(rows, lambda text, words, run=baseline: run(split(text), words), wanted, progress)
    references = {row.text: row.summaries for row in rows}
    made["oracle"] = score(
        rows, lambda text, words: baselines.oracle(split(text), references[text]), wanted, progress
    )
    return made
