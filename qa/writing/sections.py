"""Cut a long text into the sections that it is summarized by: at its headings, or evenly where it has none."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.structure import Heading, Structure, markdown_structure
from qa.writing.summary_sentences import Range

WHOLE_UP_TO = 120
"""Sentences, some eight pages. A text of no more is read as a whole."""
MOST_SECTIONS = 40
"""By headings: what a table of contents can show. Of several levels of headings the deepest that fits is taken."""
MOST_OF_ONE_LEVEL = 120
"""When even the highest level has more than MOST_SECTIONS, it is taken all the same, up to so many."""
FEWEST_SENTENCES = 3
"""A section with fewer joins its neighbour."""
MOST_SENTENCES = 300
"""A section with more is cut in parts, so that progress shows and memory stays bounded."""
EVEN_SENTENCES = 80

_PLAIN_HEADING = re.compile(
    r"(?m)^(?=[^\n]{2,80}$)(?:(?:chapter|part|book|section|kapitel|teil|chapitre|partie)[ \t]+[\divxlc]+\b[^\n]*"
    r"|\d{1,2}(?:\.\d{1,2}){0,2}\.?[ \t]+[^\W\d_][^\n.]*"
    r"|第[一二三四五六七八九十百零〇\d]{1,6}[章节節部篇回卷][^\n]*)$",
    re.IGNORECASE,
)
"""Of plain text: "Chapter 3", "2.1 Method", "第三章 方法", alone on a line."""


@dataclass(frozen=True)
class Section:
    """A part of the text with those of its sentences that a summary may be made of; `title` may be ""."""

    title: str
    start: int
    end: int
    sentences: tuple[Range, ...]


def text_structure(text: str) -> Structure:
    """What can be told of the structure of a text that nothing is known of: Markdown's headings, or plain ones."""
    marked = markdown_structure(text)
    if len(marked.headings) > 1:
        return marked
    plain = []
    for match in _PLAIN_HEADING.finditer(text):
        is_alone = text[max(0, match.start() - 2) : match.start()] in ("", "\n", "\n\n")
        if is_alone and text[match.end() : match.end() + 2] == "\n\n":
            title = " ".join(match.group().split())
            plain.append(Heading(match.start(), 1 + min(title.split()[0].strip(".").count("."), 2), title))
    return Structure(headings=tuple(plain)) if len(plain) > 1 else marked


def cut(text: str, sentences: Sequence[Range], structure: Structure) -> list[Section]:
    """None for a text that is short enough to be read as a whole; else sections in order that hold all sentences."""
    if len(sentences) <= WHOLE_UP_TO:
        return []
    borders = _heading_borders(structure.headings, sentences)
    if len(borders) < 2:
        return _evenly("", 0, len(text), sentences, EVEN_SENTENCES)
    sections: list[Section] = []
    for (start, title), (end, _) in pairwise([*borders, (len(text), "")]):
        own = sentences[bisect_left(sentences, (start, 0)) : bisect_left(sentences, (end, 0))]
        sections += _evenly(title, start, end, own, MOST_SENTENCES)
    return sections


def _heading_borders(headings: Sequence[Heading], sentences: Sequence[Range]) -> list[tuple[int, str]]:
    """Where each section begins, and its title; each but the last has FEWEST_SENTENCES or more."""
    chosen: list[Heading] = []
    for level in sorted({heading.level for heading in headings}):
        deeper = [heading for heading in headings if heading.level <= level]
        if len(deeper) > MOST_SECTIONS and chosen:
            break
        chosen = deeper
    if len(chosen) > MOST_OF_ONE_LEVEL:
        chosen = chosen[:: -(-len(chosen) // MOST_OF_ONE_LEVEL)]
    borders: list[tuple[int, str]] = [(0, "")]
    for heading in chosen:
        between = bisect_left(sentences, (heading.start, 0)) - bisect_left(sentences, (borders[-1][0], 0))
        if between >= FEWEST_SENTENCES:
            borders.append((heading.start, heading.title))
        else:  # so little stands above this heading that it belongs to it
            borders[-1] = (borders[-1][0], heading.title)
    return borders


def _evenly(title: str, start: int, end: int, sentences: Sequence[Range], most: int) -> list[Section]:
    """In parts of about as many sentences, `most` at most; without sentences there is no section."""
    count = -(-len(sentences) // most)
    found = []
    for part in range(count):
        own = sentences[part * len(sentences) // count : (part + 1) * len(sentences) // count]
        begins = start if part == 0 else own[0][0]
        named = f"{title} ({part + 1}/{count})" if title and count > 1 else title
        found.append(Section(named, begins, end, tuple(own)))
        if part:
            before = found[-2]
            found[-2] = Section(before.title, before.start, begins, before.sentences)
    return found
