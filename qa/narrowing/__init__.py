"""Which words of a Chinese sentence answer a question: the sentence was found by the words that it shares with it.

There is no reader for Chinese here. A small network ranks the stretches of the sentence that could be an answer by
what can be seen of them (`features.py`); README.md says what it learned from and how good it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from models_service.protocol import SpanResult
from qa.narrowing.features import Question, asked
from qa.narrowing.network import network
from qa.narrowing.stretches import stretches

LONGEST_SENTENCE = 400
"""Characters. What is longer is a list or a table and stays whole."""


def narrowed(question: str, spans: Sequence[Sequence[SpanResult]], most: int) -> list[list[SpanResult]]:
    """The spans, each a whole sentence of a passage, with the likeliest `most` of them cut down to what answers.

    Scores stay as they are: how well the sentence was found. A question of which it cannot be seen what it asks for
    changes nothing.
    """
    wanted = asked(question)
    if wanted is None:
        return [list(own) for own in spans]
    best = sorted((span.score for own in spans for span in own), reverse=True)[:most]
    least = best[-1] if best else 0.0
    return [[_cut_down(wanted, span) if span.score >= least else span for span in own] for own in spans]


def _cut_down(wanted: Question, span: SpanResult) -> SpanResult:
    if len(span.text) > LONGEST_SENTENCE:
        return span
    found = stretches(wanted, span.text)
    if not found.places:
        return span
    start, end = found.places[int(network().scores(wanted.features(span.text, found)).argmax())]
    return SpanResult(text=span.text[start:end], start=span.start + start, end=span.start + end, score=span.score)
