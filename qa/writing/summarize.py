"""Summarize a text of any length: its own most telling sentences as exact ranges, or a generator's words with source.

A long text is read section by section, so that progress shows and memory stays bounded: each section gives its most
telling sentences, and the summary is chosen among these. Knows no HTTP and no users.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from models_service.client import Models
from models_service.protocol_summarized_text import (
    Length,
    Method,
    Style,
    SummaryDelta,
    SummaryDone,
    SummaryEvent,
    SummaryProgress,
    SummarySection,
    SummarySentence,
    SummaryStart,
)
from models_service.words import count_words
from qa.structure import NOTHING_KNOWN, Structure
from qa.writing import key_terms as terms
from qa.writing import sections as cutting
from qa.writing.sections import Section
from qa.writing.summary_length import terms_wanted, words_wanted
from qa.writing.summary_sentences import Range, joined, telling_sentences, tidy
from qa.writing.written_summary import TOLD_CHARACTERS, NotBegun, Written, write

MAX_CHARACTERS = 3_000_000
"""Of a text; a book of 1,000 pages has about 2,500,000."""
SECTION_WORDS = 50
"""Of a section's own summary."""
MOST_POOLED = 1_500
"""Sentences of all sections among which the summary of a long text is chosen."""
AT_ONCE = 2
"""Sections under way, so that the models never wait for us."""


class SummaryProblem(ValueError):
    """The text cannot be summarized; `message` says what to change."""

    def __init__(self, code: Literal["bad_request", "too_large"], message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_text(text: str) -> None:
    """
    Raises:
        SummaryProblem: nothing is said, or more than MAX_CHARACTERS.
    """
    if not any(character.isalnum() for character in text):
        raise SummaryProblem("bad_request", "The text is empty. Give the text that is to be summarized.")
    if len(text) > MAX_CHARACTERS:
        raise SummaryProblem(
            "too_large", f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be summarized. "
            "Split it, for instance at its chapters.")


@dataclass(frozen=True)
class _Read:
    """A text that has been cut up."""

    text: str
    structure: Structure
    sentences: list[Range]
    sections: list[Section]
    words: int

    def page(self, position: int) -> int | None:
        return self.structure.page_at(position)

    def section(self, position: int) -> int | None:
        if not self.sections:
            return None
        return max(0, bisect_right([section.start for section in self.sections], position) - 1)


@dataclass
class _Chosen:
    """Ranges with their scores, in the text's order, and the model that chose them."""

    ranges: list[tuple[Range, float]]
    model: str


async def summarize_text(
    text: str,
    *,
    length: Length = "medium",
    style: Style = "paragraph",
    models: Models,
    structure: Structure = NOTHING_KNOWN,
    method: Method = "quoted",
    language: str = "",
    client: str = "",
) -> AsyncGenerator[SummaryEvent, None]:
    """A start event, progress and deltas, SummaryDone last. Closing the iterator stops the work.

    Args:
        length: of key terms a number counts terms, else words.
        structure: where pages and headings are, if that is known; else headings are looked for.
        method: quoted: sentences of the text; written: by the generator, quoted should it fail before its first word.
        language: the English name of the language to write in; "" is the text's. Of a written summary only.

    Raises:
        SummaryProblem: see `check_text`.
        ModelsError: the models cannot be asked.
    """
    check_text(text)
    began = time.perf_counter()
    method = "quoted" if style == "key_terms" else method
    read = await asyncio.to_thread(_read, text, structure, style)
    yield SummaryStart(method=method, characters=len(text), words=read.words, sections=len(read.sections))
    done: SummaryDone | None = None
    if style == "key_terms":
        done = await asyncio.to_thread(_key_terms, read, length)
        yield SummaryDelta(text=done.summary)
    else:
        async with aclosing(_of_sentences(read, length, style, method, language, models, client)) as events:
            async for event in events:
                if isinstance(event, SummaryDone):
                    done = event
                else:
                    yield event
    assert done is not None
    total = round(1000 * (time.perf_counter() - began), 1)
    yield done.model_copy(update={"timings": {**done.timings, "total_ms": total}})


def _read(text: str, structure: Structure, style: Style) -> _Read:
    if not structure.headings:
        structure = Structure(structure.pages, cutting.text_structure(text).headings)
    sentences = telling_sentences(text, structure)
    sections = [] if style == "key_terms" else cutting.cut(text, sentences, structure)
    return _Read(text, structure, sentences, sections, count_words(text))


def _key_terms(read: _Read, length: Length) -> SummaryDone:
    found = terms.key_terms(read.text, read.sentences, terms_wanted(length))
    said = [_sentence(read, (term.start, term.end), term.score) for term in found]
    summary = "\n".join(f"- {each.shown}" for each in said)
    return SummaryDone(
        summary=summary, style="key_terms", method="quoted", sentences=said, words=count_words(summary),
        source_words=read.words, model=terms.METHOD,
    )


async def _of_sentences(
    read: _Read, length: Length, style: Style, method: Method, language: str, models: Models, client: str
) -> AsyncGenerator[SummaryEvent, None]:
    wanted = words_wanted(length, read.text, read.words)
    pool, sections = read.sentences, []
    marks: dict[str, float] = {}
    if read.sections:
        began = time.perf_counter()
        budget = max(SECTION_WORDS, 2 * wanted // len(read.sections))
        chosen_of_sections: list[_Chosen] = []
        yield SummaryProgress(stage="choosing", done=0, total=len(read.sections))
        async with aclosing(_by_sections(read, budget, models, client)) as summarized:
            async for chosen in summarized:
                sections.append(_section(read, read.sections[len(sections)], chosen))
                chosen_of_sections.append(chosen)
                yield SummaryProgress(
                    stage="choosing", done=len(sections), total=len(read.sections), section=sections[-1])
        pool = _pooled(chosen_of_sections)
        marks["sections_ms"] = _ms(began)
    fallback = ""
    if method == "written":
        began = time.perf_counter()
        yield SummaryProgress(stage="writing", done=0, total=1)
        told = await _told(read, pool, models, client)
        writing = write(read.text, told, words=wanted, style=style, language=language, models=models, client=client)
        try:
            async with aclosing(writing) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Written):
                        marks["write_ms"] = _ms(began)
                        yield _written(read, piece, style, sections, marks)
                    else:
                        yield piece
            return
        except NotBegun as failure:
            fallback = failure.problem.message
    began = time.perf_counter()
    chosen = await _choose(read, pool, models, client, words=None if style == "sentence" else wanted,
                           sentences_wanted=1 if style == "sentence" else None)
    marks["choose_ms"] = _ms(began)
    said = [_sentence(read, place, score) for place, score in chosen.ranges]
    summary = _formed([each.shown for each in said], style)
    yield SummaryDelta(text=summary)
    yield SummaryDone(
        summary=summary, style=style, method="quoted", sentences=said, sections=sections, words=count_words(summary),
        source_words=read.words, model=chosen.model, fallback=fallback, timings=marks,
    )


def _ms(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 1)


def _formed(pieces: Sequence[str], style: Style) -> str:
    return "\n".join(f"- {piece}" for piece in pieces) if style == "bullets" else joined(pieces)


def _sentence(read: _Read, place: Range, score: float) -> SummarySentence:
    start, end = place
    return SummarySentence(
        text=read.text[start:end], shown=tidy(read.text[start:end]), start=start, end=end, score=score,
        section=read.section(start), page=read.page(start),
    )


def _section(read: _Read, section: Section, chosen: _Chosen) -> SummarySection:
    """With the best of its chosen sentences, up to SECTION_WORDS."""
    kept: list[tuple[Range, float]] = []
    words = 0
    for place, score in sorted(chosen.ranges, key=lambda each: -each[1]):
        size = count_words(read.text[slice(*place)])
        if not kept or words + size <= 1.5 * SECTION_WORDS:
            kept.append((place, score))
            words += size
    said = [_sentence(read, place, score) for place, score in sorted(kept)]
    return SummarySection(
        title=section.title, start=section.start, end=section.end, first_page=read.page(section.start),
        last_page=read.page(max(section.start, section.end - 1)), summary=joined([each.shown for each in said]),
        sentences=said,
    )


async def _by_sections(
    read: _Read, words: int, models: Models, client: str
) -> AsyncGenerator[_Chosen, None]:
    """What each section's most telling sentences are, in order; AT_ONCE are under way."""
    tasks: list[asyncio.Task[_Chosen]] = []
    begun = 0
    try:
        for number in range(len(read.sections)):
            while begun < min(number + AT_ONCE, len(read.sections)):
                own = list(read.sections[begun].sentences)
                tasks.append(asyncio.create_task(_choose(read, own, models, client, words=words)))
                begun += 1
            yield await tasks[number]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _pooled(chosen: Sequence[_Chosen]) -> list[Range]:
    """The chosen of all sections; when they are too many, of each section its best, and of those the best."""
    most = max(1, MOST_POOLED // len(chosen))
    pool = [pair for each in chosen for pair in _best(each.ranges, most)]
    return sorted(place for place, _score in _best(pool, MOST_POOLED))


def _best(ranges: Sequence[tuple[Range, float]], most: int) -> list[tuple[Range, float]]:
    return sorted(ranges, key=lambda pair: -pair[1])[:most]


async def _choose(
    read: _Read, pool: Sequence[Range], models: Models, client: str, *, words: int | None = None,
    sentences_wanted: int | None = None,
) -> _Chosen:
    done = await models.summarize(
        [read.text[start:end] for start, end in pool], words=words, sentences_wanted=sentences_wanted, client=client)
    return _Chosen([(pool[each.index], each.score) for each in done.chosen], done.model)


async def _told(read: _Read, pool: Sequence[Range], models: Models, client: str) -> list[Range]:
    """What a generator is told: all of a short text, a paragraph or so each; of a long one its telling sentences."""
    if len(read.text) <= TOLD_CHARACTERS:
        return _blocks(read.sentences)
    words = round(TOLD_CHARACTERS * read.words / len(read.text))
    chosen = await _choose(read, pool, models, client, words=words)
    return [place for place, _score in chosen.ranges]


_BLOCK_CHARACTERS = 800


def _blocks(sentences: Sequence[Range]) -> list[Range]:
    """Neighbouring sentences together, so that a generator sees a text and not a heap of lines."""
    blocks: list[Range] = []
    for start, end in sentences:
        if blocks and end - blocks[-1][0] <= _BLOCK_CHARACTERS:
            blocks[-1] = (blocks[-1][0], end)
        else:
            blocks.append((start, end))
    return blocks


def _written(
    read: _Read, piece: Written, style: Style, sections: list[SummarySection], marks: dict[str, float]
) -> SummaryDone:
    placed = [
        sentence if sentence.start is None else sentence.model_copy(
            update={"page": read.page(sentence.start), "section": read.section(sentence.start)})
        for sentence in piece.sentences
    ]
    return SummaryDone(
        summary=piece.summary, style=style, method="written", sentences=placed, sections=sections,
        words=count_words(piece.summary), source_words=read.words, model=piece.model, supported=piece.supported,
        timings=marks,
    )
