"""Compare what an answer says with the knowledge graph's values of the relation asked for, by their kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa.graph_asking import Reading
from qa.graph_linking import Mention, link
from qa.graph_names import fold, last_part
from qa.graph_reading import Fact, Graph, Term
from qa.graph_values import Comparison, amount_of, amounts, compare_amounts, compare_dates, date_of, dates
from qa.scripts import is_cjk
from qa.sentences import sentences

WITHIN = frozenset(
    "country state location city ispartof locatedinarea province region subdivision county district municipality "
    "settlement locatedin containedinplace parentcompany owner owningcompany".split()
)
"""Relations that lead from a place to one that holds it, and from a firm to its owner."""
MOST_STEPS = 4
SHORT_WORDS = 8
SHORT_CJK = 16
"""Longer marked texts are read as sentences."""
FEW_SENTENCES = 2
_DENIES = re.compile(
    r"(?i)\b(?:not|never|no|nobody|neither|nor|without|unlikely|false|wrong)\b|n['’]t\b|不|没有|并非|未"
)
_FIRST_NAME_BEFORE = re.compile(r"(?<=\w )[A-Z][\w'’-]*\s+$")
"""A capitalised word that does not open the text."""
_NAME_WORDS = re.compile(r"[A-Z][\w'’.-]*(?:\s+(?:[a-z]{1,3}\s+)?[A-Z][\w'’.-]*)+")


@dataclass(frozen=True)
class Agreement:
    """`facts` are those that say so: the one that is the same, with those that lead to it; or all that differ."""

    comparison: Comparison
    facts: tuple[Fact, ...] = ()


UNCLEAR = Agreement("unclear")


def compare(reading: Reading, answer: str, span: str, graph: Graph, language: str) -> Agreement:
    """The answer against the values; `span` is its exact part, "" where none is marked."""
    said, exact = _said(answer, span)
    if not said or _DENIES.search(_around(answer, span) if exact else answer):
        return UNCLEAR
    first = reading.values[0]
    if date_of(first, reading.predicate) is not None:
        return _dates(reading, said, exact)
    if amount_of(first) is not None:
        return _amounts(reading, said, exact)
    return _things(reading, said, exact, graph, language)


def _said(answer: str, span: str) -> tuple[str, bool]:
    """What is compared, and whether it is nothing but the value."""
    short = len(span) <= SHORT_CJK if is_cjk(span) else len(span.split()) <= SHORT_WORDS
    return (span, True) if span.strip() and short else (span or answer, False)


def _around(answer: str, span: str) -> str:
    """The sentence that the span stands in."""
    place = answer.find(span)
    return next((answer[start:end] for start, end in sentences(answer) if start <= place < end), answer)


def _dates(reading: Reading, text: str, exact: bool) -> Agreement:
    said = dates(text)
    known = [(fact, date_of(fact.object, reading.predicate)) for fact in reading.facts]
    if not said or (len(said) > 1 and exact):
        return UNCLEAR
    results = [(fact, compare_dates(said[0], when)) for fact, when in known if when is not None]
    return _decided(reading, results, alone=len(said) == 1)


def _amounts(reading: Reading, text: str, exact: bool) -> Agreement:
    said = amounts(text)
    if not exact:
        years = {str(when.first) for when in dates(text)}
        said = [one for one in said if str(int(one.number)) not in years or one.unit] or said
    known = [(fact, amount_of(fact.object)) for fact in reading.facts]
    if not said:
        return UNCLEAR
    results = [(fact, compare_amounts(said[0], one, reading.predicate)) for fact, one in known if one is not None]
    return _decided(reading, results, alone=len(said) == 1)


def _decided(reading: Reading, results: Sequence[tuple[Fact, Comparison]], alone: bool) -> Agreement:
    same = next((fact for fact, result in results if result == "same"), None)
    if same is not None:
        return Agreement("same", (same,))
    if alone and results and all(result == "different" for _, result in results):
        return Agreement("different", reading.facts)
    return UNCLEAR


def _things(reading: Reading, text: str, exact: bool, graph: Graph, language: str) -> Agreement:
    about = {reading.thing}
    named = [mention for mention in link(text, graph) if not about & set(mention.namesakes) and not mention.weak]
    found: list[tuple[int, tuple[Fact, ...]]] = []
    for fact, value in zip(reading.facts, reading.values, strict=True):
        place = _place_of(value, text, exact, graph)
        if place >= 0:
            found.append((place, (fact,)))
            continue
        for mention in named:
            if value.kind != "iri":
                continue
            way = way_up(value.value, mention.namesakes.__contains__, graph, language)
            if way:
                found.append((mention.start, (fact, *way)))
    others = [mention for mention in named if _differs(mention, reading, graph, language)]
    if found:
        place, facts = min(found, key=lambda each: each[0])
        sooner = [mention for mention in others if mention.start < place]
        return UNCLEAR if sooner or (exact and others) else Agreement("same", facts)
    if len(named) == len(others) == 1 and (exact or len(sentences(text)) <= FEW_SENTENCES):
        return Agreement("different", reading.facts)
    if exact and not named and _is_another_name(text, reading, graph):
        return Agreement("different", reading.facts)
    return UNCLEAR


def _place_of(value: Term, text: str, exact: bool, graph: Graph) -> int:
    """Where the text names the value, by any of its names; -1 when it does not."""
    names = _names(value, graph)
    folded = fold(text)
    if is_cjk(text):
        return max((text.find(name) for name in names if len(name) > 1), default=-1)
    padded = f" {folded} "
    for name in names:
        key = fold(name)
        if key and f" {key} " in padded:
            start = text.lower().find(name.lower())
            return start if start >= 0 else 0
    if exact and folded and any(_is_end_of(folded, fold(name)) for name in names):
        return 0
    return _family_name_of(value, text, names, graph)


def _family_name_of(value: Term, text: str, names: Sequence[str], graph: Graph) -> int:
    """Where the text calls a person by the last name alone: no other first name stands before it."""
    if "person" not in (kind.lower() for kind in graph.types(value.value)):
        return -1
    for name in names:
        last = name.split()[-1] if " " in name else ""
        found = re.search(rf"(?<![A-Z]\.\s)\b{re.escape(last)}\b", text) if len(last) > 2 else None
        if found and not _FIRST_NAME_BEFORE.search(text[: found.start()]):
            return found.start()
    return -1


def _is_end_of(short: str, name: str) -> bool:
    """ "Marx" of "Karl Marx", "Richard Hipp" of "D. Richard Hipp"."""
    return len(short) > 2 and name.endswith(f" {short}")


def _names(value: Term, graph: Graph) -> list[str]:
    if value.kind != "iri":
        return [value.value]
    return [name.text for name in graph.names.of([value.value]).get(value.value, [])] or [value.label]


def way_up(place: str, reached: Callable[[str], bool], graph: Graph, language: str) -> list[Fact] | None:
    """The statements that lead from a place to the nearest that holds it and is `reached`; None when none do."""
    ways: list[tuple[str, list[Fact]]] = [(place, [])]
    seen = {place}
    for _ in range(MOST_STEPS):
        following = []
        for at, way in ways:
            for fact in graph.about(at, language):
                holder, relation = fact.object.value, last_part(fact.predicate.value).lower()
                if fact.object.kind != "iri" or holder in seen or relation not in WITHIN:
                    continue
                if reached(holder):
                    return [*way, fact]
                seen.add(holder)
                following.append((holder, [*way, fact]))
        ways = following
    return None


def _differs(mention: Mention, reading: Reading, graph: Graph, language: str) -> bool:
    """Whether it names a thing of the values' kind that is none of them, nor lies in one of them."""
    for value in reading.values:
        if value.kind != "iri":
            continue
        if value.value in mention.namesakes:
            return False
        if way_up(value.value, mention.namesakes.__contains__, graph, language):
            return False
        if any(way_up(iri, value.value.__eq__, graph, language) for iri in mention.namesakes):
            return False
    own = {kind for value in reading.values if value.kind == "iri" for kind in graph.types(value.value)}
    its = {kind for iri in mention.namesakes for kind in graph.types(iri)}
    return bool(own & its) or not own and not its


def _is_another_name(text: str, reading: Reading, graph: Graph) -> bool:
    """A person's name of two words or more, of which the one person that the graph gives has none."""
    if len(reading.values) != 1 or not _NAME_WORDS.fullmatch(text.strip()):
        return False
    value = reading.values[0]
    if "person" not in (kind.lower() for kind in graph.types(value.value)):
        return False
    words = {word for name in _names(value, graph) for word in fold(name).split()}
    return not words & set(fold(text).split())
