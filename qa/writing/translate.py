"""Translate a text of any length, sentence by sentence, and keep all of it that is not words.

Paragraphs, white space, tags, marks, addresses and placeholders come out as they went in; what a model loses is put
back, or the sentence is flagged. Knows no HTTP and no users.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

from models_service.protocol_translated_text import (
    DetectedLanguage,
    GlossaryHit,
    TranslatedSentence,
    TranslateTextDelta,
    TranslateTextDone,
    TranslateTextStart,
    TranslationFlag,
)
from qa.writing import routes
from qa.writing.alignment import Assembly
from qa.writing.asking import Asking, Memory, NoMemory
from qa.writing.blocks import CODECS, Format
from qa.writing.detection import detect, has_words
from qa.writing.glossary import Glossary, Term
from qa.writing.routes import TranslationError
from qa.writing.sentence import Result, translate_units
from qa.writing.units import Unit, units

FIRST_WINDOW, WINDOW = 4, 32
"""Sentences asked for together: few at first, so that the first are there soon."""
AT_ONCE = 3
"""Windows under way, so that the models never wait for us."""
_ALTERNATIVES_FOR = 8
"""Sentences of a text that gets alternatives as a whole; a longer one has them sentence by sentence."""

Event = TranslateTextStart | TranslateTextDelta | TranslateTextDone


async def translate_text(
    text: str,
    *,
    source: str = "auto",
    target: str,
    models: Any,
    glossary: Sequence[Term] = (),
    format: Format = "text",
    alternatives: int = 0,
    client: str = "",
    memory: Memory | None = None,
) -> AsyncIterator[Event]:
    """A start event, deltas in order, TranslateTextDone last. Closing the iterator stops the work.

    Args:
        source: an ISO 639-1 code, or "auto".
        alternatives: so many other translations of each sentence.
        memory: translations from before, asked first.

    Raises:
        TranslationError: empty, in a language that cannot be told, or a pair that no model leads to.
        ModelsError: the models cannot be asked.
    """
    began = time.perf_counter()
    if not text.strip():
        raise TranslationError("empty", "The text is empty. Write something to translate.")
    pairs = await models.languages()
    detected = None
    if source == "auto":
        source, detected = await asyncio.to_thread(_detected, text, pairs, target)
    way = routes.route(pairs, source, target)
    holding = Glossary([term for term in glossary if term.language in ("", source)])
    found = await asyncio.to_thread(units, text, format, holding) if way.legs else []
    known = {"source": source, "target": target, "detected": detected, "via": way.via, "models": way.models}
    yield TranslateTextStart(**known, sentences=len(found))
    assembly = Assembly(text, source, target)
    asking = Asking(models, way, client, NoMemory() if memory is None else memory)
    results: list[Result] = []
    async for unit, result in _in_order(found, asking, source, target, format, alternatives):
        results.append(result)
        yield TranslateTextDelta(text=assembly.add(unit.start, unit.end, result.text), sentences=len(results))
    rest = assembly.end()
    if rest:
        yield TranslateTextDelta(text=rest, sentences=len(results))
    yield TranslateTextDone(
        **known, translation=assembly.translation,
        sentences=[
            TranslatedSentence(
                source=own, target=made, score=round(result.score, 4), alternatives=result.alternatives
            )
            for (own, made), result in zip(assembly.ranges, results, strict=True)
        ],
        flags=_flags(results), glossary_hits=_hits(found),
        alternatives=_whole_alternatives(text, source, target, found, results, alternatives),
        timings={"total_ms": round(1000 * (time.perf_counter() - began), 1)},
    )


def _detected(text: str, pairs: Sequence[routes.Pair], target: str) -> tuple[str, DetectedLanguage]:
    offered = sorted({pair.source for pair in pairs})
    found = detect(text, offered)
    if not found.language and has_words(text):
        raise TranslationError("language_unknown", "The language of this text cannot be told. Name it.", offered)
    if not found.language:  # numbers, signs: nothing that depends on the language
        found = type(found)(target, 0.0)
    return found.language, DetectedLanguage(language=found.language, confidence=found.confidence)


async def _in_order(
    found: Sequence[Unit], asking: Asking, source: str, target: str, format: Format, alternatives: int
) -> AsyncIterator[tuple[Unit, Result]]:
    """Each unit with its result; a few windows are asked for ahead."""
    borders = [0, *range(FIRST_WINDOW, len(found), WINDOW), len(found)] if found else []
    windows = [found[start:end] for start, end in pairwise(borders) if end > start]
    tasks: list[asyncio.Task[list[Result]]] = []
    write = CODECS[format][1]

    def begin(number: int) -> None:
        if number < len(windows):
            work = translate_units(windows[number], asking, source, target, write, alternatives)
            tasks.append(asyncio.create_task(work))

    try:
        for number in range(AT_ONCE):
            begin(number)
        for number, window in enumerate(windows):
            for unit, result in zip(window, await tasks[number], strict=True):
                yield unit, result
            begin(number + AT_ONCE)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _flags(results: Sequence[Result]) -> list[TranslationFlag]:
    flags = [TranslationFlag(kind="lost", sentence=number, pieces=result.lost)
             for number, result in enumerate(results) if result.lost]
    flags += [TranslationFlag(kind="untranslated", sentence=number)
              for number, result in enumerate(results) if result.untranslated]
    return flags


def _hits(found: Sequence[Unit]) -> list[GlossaryHit]:
    counted = Counter((token.inner.lower(), token.output) for unit in found for token in unit.tokens
                      if not isinstance(token, str) and token.kind == "term")
    return [GlossaryHit(source=source, target=target, hits=hits) for (source, target), hits in counted.most_common()]


def _whole_alternatives(
    text: str, source: str, target: str, found: Sequence[Unit], results: Sequence[Result], wanted: int
) -> list[str]:
    """The text with the second, third ... choice of each sentence."""
    if not wanted or not 0 < len(found) <= _ALTERNATIVES_FOR:
        return []
    made = []
    for number in range(min(wanted, max(len(result.alternatives) for result in results))):
        assembly = Assembly(text, source, target)
        for unit, result in zip(found, results, strict=True):
            assembly.add(unit.start, unit.end, [*result.alternatives, *[result.text] * wanted][number])
        assembly.end()
        made.append(assembly.translation)
    return made
