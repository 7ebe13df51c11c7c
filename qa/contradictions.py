"""Documents that say different things: found among an answer's citations, put newest first.

Two sentences of different documents contradict each other when they say nearly the same words with another value: "25
days of annual leave" and "22 days of annual leave". Likeness of words, not logic; each naming a thing that the other
does not, they speak of different things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models_service.protocol import Citation
from qa.terms import stem, terms
from qa.verify import StoredTexts

SAME_WORDS_FROM = 0.5
"""Of all the different words of the two sentences, without their numbers and marked words, so many are in both."""
FEWEST_SAME = 2
_NUMBER = re.compile(r"\d[\d.,]*")
_NAME = re.compile(r"(?<=[\w,;] )[A-Z][\w’'-]+")
"""Of scripts that have capitals; a sentence's first word may be any."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True)
class Version:
    """What one of the contradicting documents says; `year` is the one in its title, None where there is none."""

    citation: Citation
    value: str
    year: int | None


def contradiction(cited: Sequence[Citation], documents: StoredTexts) -> list[Version]:
    """What the documents say that contradict the first citation, it among them, newest first; empty if none does."""
    if not cited:
        return []
    against = [other for other in cited[1:] if _contradict(cited[0], other)]
    one_each: dict[str, Citation] = {}
    for citation in against:
        one_each.setdefault(citation.document, citation)
    if not one_each:
        return []
    versions = [
        Version(citation, _value(citation), year(citation.title)) for citation in (cited[0], *one_each.values())
    ]
    return sorted(versions, key=lambda version: (-(version.year or 0), -documents.added(version.citation.document)))


def year(title: str) -> int | None:
    """The year that a document's title names."""
    found = _YEAR.search(title)
    return int(found.group()) if found else None


def _contradict(one: Citation, other: Citation) -> bool:
    first, second = _value(one), _value(other)
    numbers = _NUMBER.findall(first), _NUMBER.findall(second)
    if one.document == other.document or not all(numbers) or set(numbers[0]) & set(numbers[1]):
        return False
    words, more = _words(one), _words(other)
    if _names(one) - more and _names(other) - words:
        return False  # of Berlin's office the one, of Paris's the other
    same = words & more
    return len(same) >= FEWEST_SAME and len(same) / len(words | more) >= SAME_WORDS_FROM


def _value(citation: Citation) -> str:
    """The marked words; a sentence that is marked whole has its number for a value."""
    marked = citation.quote[citation.span_start - citation.start : citation.span_end - citation.start]
    if len(marked) < len(citation.quote):
        return marked
    found = _NUMBER.search(marked)
    return found.group() if found else ""


def _words(citation: Citation) -> set[str]:
    value = set(terms(_value(citation)))
    return {stem(word) for word in terms(citation.quote) if word not in value and not word[0].isdigit()}


def _names(citation: Citation) -> set[str]:
    return {stem(word) for name in _NAME.findall(citation.quote) for word in terms(name)}
