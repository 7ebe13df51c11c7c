"""One generation of the knowledge graph as it is read: things, what is said of them, search by name, SPARQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import pyoxigraph as rdf

from qa.graph_files import source_name
from qa.graph_names import NAMING, Kind, Name, Names, best, local_name
from qa.graph_query import Answers, select

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DESCRIPTIONS = (
    "http://www.w3.org/2000/01/rdf-schema#comment", "http://dbpedia.org/ontology/abstract",
    "http://schema.org/description", "https://schema.org/description", "http://purl.org/dc/terms/description",
)
BULK = frozenset((
    "http://dbpedia.org/ontology/wikiPageWikiLink", "http://dbpedia.org/ontology/wikiPageExternalLink",
    "http://dbpedia.org/property/wikiPageUsesTemplate", "http://purl.org/dc/terms/subject",
    "http://www.w3.org/2002/07/owl#sameAs", "http://dbpedia.org/ontology/wikiPageRedirects",
))
"""Of which a thing has hundreds and which state nothing about it."""
MOST_READ = 5_000
MOST_FACTS = 200
"""Shown of one thing, outgoing and incoming each."""


@dataclass(frozen=True)
class Term:
    """A subject, predicate or object.

    `value` is the address, the text of a literal, or the number of a blank node; `label` is what to show: the name of
    a thing, the text itself of a literal.
    """

    kind: Literal["iri", "literal", "blank"]
    value: str
    label: str
    datatype: str = ""
    language: str = ""


@dataclass(frozen=True)
class Fact:
    """One statement; `source` is the name of the file that makes it."""

    subject: Term
    predicate: Term
    object: Term
    source: str


@dataclass(frozen=True)
class Found:
    """A thing found by one of its names: the one that matched, its label and its types' labels."""

    iri: str
    label: str
    matched: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Entity:
    """A thing and what the graph says of it; `more_outgoing`, `more_incoming`: whether there are more facts."""

    iri: str
    label: str
    names: tuple[Name, ...]
    types: tuple[Term, ...]
    description: str
    outgoing: tuple[Fact, ...]
    incoming: tuple[Fact, ...]
    more_outgoing: bool
    more_incoming: bool

    @property
    def aliases(self) -> list[str]:
        """What else it is called."""
        texts = (name.text for name in self.names if name.kind in (Kind.LABEL, Kind.ALIAS))
        return [text for text in dict.fromkeys(texts) if text != self.label]


class Graph:
    """Read only; any number of threads may use one object. Texts are shown for a reader of `language`: `en`, `zh`."""

    def __init__(self, store: rdf.Store, names: Names) -> None:
        self._store = store
        self.names = names

    def entity(self, iri: str, language: str = "en", limit: int = MOST_FACTS) -> Entity | None:
        """All about a thing; None when the graph does not know the address, or it is none."""
        node = _node(iri)
        if node is None:
            return None
        leaving = self._some(node, None, limit)
        arriving = self._some(None, node, limit)
        if not leaving and not arriving:
            return None
        own = [quad for quad in leaving if quad.predicate.value not in (RDF_TYPE, *DESCRIPTIONS, *NAMING)]
        typed = self._said(node, (RDF_TYPE,))
        named = self._labels([*leaving[:limit], *arriving[:limit], *typed], language)
        names = self.names.of([iri]).get(iri, [])
        return Entity(
            iri=iri, label=best(names, language) or local_name(iri), names=tuple(names),
            types=tuple(dict.fromkeys(_term(quad.object, named) for quad in typed)),
            description=_description(self._said(node, DESCRIPTIONS), language),
            outgoing=tuple(_fact(quad, named) for quad in own[:limit]),
            incoming=tuple(_fact(quad, named) for quad in arriving[:limit]),
            more_outgoing=len(leaving) > limit, more_incoming=len(arriving) > limit,
        )

    def facts(self, iri: str, language: str = "en", limit: int = MOST_FACTS, offset: int = 0) -> list[Fact]:
        """What is said of a thing: the statements whose subject it is, names and types among them."""
        node = _node(iri)
        quads = self._some(node, None, limit, offset)[:limit] if node is not None else []
        named = self._labels(quads, language)
        return [_fact(quad, named) for quad in quads]

    def incoming(self, iri: str, language: str = "en", limit: int = MOST_FACTS, offset: int = 0) -> list[Fact]:
        """The statements whose object it is."""
        node = _node(iri)
        quads = self._some(None, node, limit, offset)[:limit] if node is not None else []
        named = self._labels(quads, language)
        return [_fact(quad, named) for quad in quads]

    def about(self, iri: str, language: str = "en", *, backwards: bool = False) -> list[Fact]:
        """What states something of a thing, its links to other pages left out; backwards: with it as the object."""
        node = _node(iri)
        if node is None:
            return []
        ends = (None, node) if backwards else (node, None)
        quads = islice(self._store.quads_for_pattern(ends[0], None, ends[1], None), MOST_READ)
        telling = list(islice((quad for quad in quads if quad.predicate.value not in BULK), MOST_FACTS))
        named = self._labels(telling, language)
        return [_fact(quad, named) for quad in telling]

    def find(self, text: str, limit: int = 20, language: str = "en") -> list[Found]:
        """Things whose names begin with or hold the text, the best first."""
        matching = self.names.beginning(text, limit)
        names = self.names.of([name.iri for name in matching])
        return [
            Found(name.iri, best(names[name.iri], language), name.text, tuple(self.types(name.iri, language)))
            for name in matching
        ]

    def types(self, iri: str, language: str = "en") -> list[str]:
        """What kinds of thing it is, by their labels."""
        node = _node(iri)
        if node is None:
            return []
        typed = self._store.quads_for_pattern(node, rdf.NamedNode(RDF_TYPE), None, None)
        kinds = [quad.object.value for quad in typed if isinstance(quad.object, rdf.NamedNode)]
        return [self._label(kind, names, language) for kind, names in self._names(kinds).items()]

    def label(self, iri: str, language: str = "en") -> str:
        """What to call it."""
        return self._label(iri, self.names.of([iri]).get(iri, []), language)

    def select(self, sparql: str, *, most_rows: int = 1_000) -> Answers:
        """The rows of a read-only SPARQL query over everything that was imported; see `qa.graph_query.select`.

        A query may run for as long as it likes: whoever lets other people write them sets the time limit, in a
        process that can be killed.

        Raises:
            BadQuery: it is not a query, or one that is not allowed.
        """
        return select(self._store, sparql, most_rows)

    def _some(
        self, subject: rdf.NamedNode | None, object: rdf.NamedNode | None, limit: int, offset: int = 0
    ) -> list[rdf.Quad]:
        """At most one more than `limit`, so that it is seen whether there are more."""
        return list(islice(self._store.quads_for_pattern(subject, None, object, None), offset, offset + limit + 1))

    def _said(self, subject: rdf.NamedNode, predicates: Sequence[str]) -> list[rdf.Quad]:
        return [quad for predicate in predicates
                for quad in self._store.quads_for_pattern(subject, rdf.NamedNode(predicate), None, None)]

    def _labels(self, quads: Iterable[rdf.Quad], language: str) -> dict[str, str]:
        nodes = {term.value for quad in quads for term in (quad.subject, quad.predicate, quad.object)
                 if isinstance(term, rdf.NamedNode)}
        return {iri: self._label(iri, names, language) for iri, names in self._names(sorted(nodes)).items()}

    def _names(self, iris: Sequence[str]) -> dict[str, list[Name]]:
        found = self.names.of(iris)
        return {iri: found.get(iri, []) for iri in iris}

    @staticmethod
    def _label(iri: str, names: Sequence[Name], language: str) -> str:
        return best(names, language) or local_name(iri)


def _node(iri: str) -> rdf.NamedNode | None:
    try:
        return rdf.NamedNode(iri)
    except ValueError:
        return None


def _term(term: rdf.NamedNode | rdf.BlankNode | rdf.Literal | rdf.Triple, labels: dict[str, str]) -> Term:
    if isinstance(term, rdf.NamedNode):
        return Term("iri", term.value, labels.get(term.value) or local_name(term.value))
    if isinstance(term, rdf.Literal):
        return Term("literal", term.value, term.value, term.datatype.value, term.language or "")
    if isinstance(term, rdf.BlankNode):
        return Term("blank", term.value, "…")
    return Term("literal", str(term), str(term))


def _fact(quad: rdf.Quad, labels: dict[str, str]) -> Fact:
    return Fact(
        _term(quad.subject, labels), _term(quad.predicate, labels), _term(quad.object, labels),
        source_name(quad.graph_name.value),
    )


def _description(quads: Sequence[rdf.Quad], language: str) -> str:
    """In the reader's language, else in English, else any; "" without one."""
    said = [quad.object for quad in quads
            if quad.predicate.value in DESCRIPTIONS and isinstance(quad.object, rdf.Literal)]
    for wanted in (language, "en", ""):
        for text in said:
            if (text.language or "").split("-")[0] == wanted:
                return text.value
    return said[0].value if said else ""
