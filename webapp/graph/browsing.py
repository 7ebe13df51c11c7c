"""What the pages and the REST interface show of the graph: things that a name finds, and one thing with its facts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qa.graph import Counts, Graph, GraphDamaged
from qa.graph_reading import Entity, Fact, Found, Term
from webapp.errors import NotFound, Unavailable
from webapp.graph import storage

log = logging.getLogger(__name__)

A_PAGE = 50
MOST_PAGES = 200
"""Beyond, SPARQL is the better tool."""


@dataclass(frozen=True)
class Statement:
    """What several sources may say: a value, and who says it."""

    subject: Term
    predicate: Term
    object: Term
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Statements of one predicate."""

    predicate: Term
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Page:
    """A part of a thing's facts; `number` counts from 1."""

    number: int
    groups: tuple[Group, ...]
    has_next: bool

    @property
    def statements(self) -> list[Statement]:
        return [one for group in self.groups for one in group.statements]


@dataclass(frozen=True)
class Results:
    """Things that a name finds."""

    number: int
    found: tuple[Found, ...]
    has_next: bool


@dataclass(frozen=True)
class Shown:
    entity: Entity
    facts: Page
    incoming: Page


def find(text: str, number: int = 1) -> Results:
    """Things whose names begin with or hold the text, the best first."""
    graph = _opened()
    text = text.strip()
    if graph is None or not text:
        return Results(number, (), False)
    before = (number - 1) * A_PAGE
    found = graph.find(text, before + A_PAGE + 1, _language())[before:]
    return Results(number, tuple(found[:A_PAGE]), len(found) > A_PAGE and number < MOST_PAGES)


def entity(iri: str, number: int = 1, incoming: int = 1) -> Shown:
    """A thing with one page of what is said of it, and one of what is said with it. NotFound when none knows it."""
    graph = _opened()
    found = graph.entity(iri, _language()) if graph is not None else None
    if graph is None or found is None:
        raise NotFound(_("The knowledge graph does not know this address."))
    return Shown(found, _page(graph.facts, iri, number), _page(graph.incoming, iri, incoming))


def counts() -> Counts:
    try:
        return storage.store().counts()
    except GraphDamaged as error:
        raise _damaged(error) from None


def _page(read: Callable[..., list[Fact]], iri: str, number: int) -> Page:
    facts = read(iri, _language(), A_PAGE + 1, (number - 1) * A_PAGE)
    return Page(number, _grouped(facts[:A_PAGE]), len(facts) > A_PAGE and number < MOST_PAGES)


def _grouped(facts: Sequence[Fact]) -> tuple[Group, ...]:
    sources: dict[tuple[Term, Term, Term], list[str]] = {}
    for fact in facts:
        sources.setdefault((fact.subject, fact.predicate, fact.object), []).append(fact.source)
    groups: dict[Term, list[Statement]] = {}
    for triple, names in sources.items():
        groups.setdefault(triple[1], []).append(Statement(*triple, tuple(dict.fromkeys(names))))
    return tuple(Group(predicate, tuple(statements)) for predicate, statements in groups.items())


def _opened() -> Graph | None:
    try:
        return storage.store().open()
    except GraphDamaged as error:
        raise _damaged(error) from None


def _damaged(error: GraphDamaged) -> Unavailable:
    log.error("%s", error)
    return Unavailable(_("The knowledge graph cannot be read; the site's log says why and what to do."))


def _language() -> str:
    """As the graph writes languages: "zh" for Simplified Chinese."""
    return (get_language() or "en").partition("-")[0]
