"""What things in the knowledge graph are called: labels, aliases and redirects, in a SQLite file beside the store.

Names are looked up folded: without case, accents and punctuation. The file is written once, when its generation of
the graph is built, and only read from then on.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from urllib.parse import unquote

import pyoxigraph as rdf

LONGEST_NAME = 200
"""Characters; longer texts are no names."""
_ONE_QUERY = 500
_RDFS, _SKOS = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2004/02/skos/core#"
_FOAF = "http://xmlns.com/foaf/0.1/"
_DBO, _DBP = "http://dbpedia.org/ontology/", "http://dbpedia.org/property/"
_SCHEMA = ("http://schema.org/", "https://schema.org/")
LABELS = (f"{_RDFS}label", f"{_SKOS}prefLabel", f"{_FOAF}name", *(f"{s}name" for s in _SCHEMA), f"{_DBP}name")
"""Predicates, the better ones first."""
ALIASES = (
    f"{_SKOS}altLabel", f"{_FOAF}nick", f"{_DBO}alias", f"{_DBO}birthName", f"{_DBO}longName", f"{_DBO}abbreviation",
    f"{_DBP}alias", f"{_DBP}nickname", *(f"{s}alternateName" for s in _SCHEMA),
)
REDIRECT = f"{_DBO}wikiPageRedirects"
NAMING = frozenset((*LABELS, *ALIASES, REDIRECT))
_QUALIFIER = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
_APOSTROPHE = re.compile("['’ʼ`´]")
_OTHER = re.compile(r"[\W_]+")
_SCHEMA_SQL = """
CREATE TABLE name (folded TEXT NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL, iri TEXT NOT NULL,
                   kind INTEGER NOT NULL, rank INTEGER NOT NULL);
CREATE TABLE entity (iri TEXT PRIMARY KEY, triples INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE predicate (iri TEXT PRIMARY KEY, triples INTEGER NOT NULL, subjects INTEGER NOT NULL) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX name_folded ON name (folded);
CREATE INDEX name_iri ON name (iri);
"""


class Kind(IntEnum):
    """How well a name fits, the best first."""

    LABEL = 0
    ALIAS = 1
    UNQUALIFIED = 2
    """A label without what stands in brackets behind it: "Paris" of "Paris (mythology)"."""
    IRI = 3
    """The last part of an address that has no label."""


@dataclass(frozen=True)
class Name:
    """One name of one thing; `language` is "" where the graph does not say. `rank` orders the names of one kind."""

    text: str
    language: str
    iri: str
    kind: Kind
    rank: int = 0


@dataclass(frozen=True)
class PredicateCount:
    """How often a predicate is used; as many triples as subjects: each thing has one value of it."""

    iri: str
    triples: int
    subjects: int


def fold(text: str) -> str:
    """A name as it is compared: `"Gödel's  proof"` and `"GODELS PROOF"` are one."""
    valid = text.encode("utf-8", "ignore").decode()  # without lone surrogates, which no database takes
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", valid))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _OTHER.sub(" ", unicodedata.normalize("NFKC", plain).casefold()).strip()


def last_part(iri: str) -> str:
    """`birthPlace` of an address that ends so."""
    return re.split(r"[/#:]", iri.rstrip("/#"))[-1]


def local_name(iri: str) -> str:
    """The last part of an address as words: "Harry S. Truman" of `Harry_S._Truman`, "birth place" of `birthPlace`."""
    words = unquote(last_part(iri)).replace("_", " ").strip()
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).lower() if words[:1].islower() else words or iri


def unqualified(name: str) -> str:
    return _QUALIFIER.sub("", name)


def build(file: Path, store: rdf.Store) -> tuple[int, int]:
    """Write the names of everything in the store; (triples, entities), an entity being what statements are about."""
    redirects = {
        quad.subject.value: quad.object.value
        for quad in store.quads_for_pattern(None, rdf.NamedNode(REDIRECT), None, None)
        if isinstance(quad.subject, rdf.NamedNode) and isinstance(quad.object, rdf.NamedNode)
    }
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_SCHEMA_SQL)
        with connection:
            triples = _count(connection, store)
            named = set(redirects)
            for name in _named(store):
                if name.iri not in redirects:
                    named.add(name.iri)
                    _insert(connection, name)
            for iri, target in redirects.items():
                _insert(connection, Name(local_name(iri), "", target, Kind.ALIAS, len(ALIASES)))
            every = connection.execute("SELECT iri FROM entity").fetchall()
            for (iri,) in every:
                if iri not in named:
                    _insert(connection, Name(local_name(iri), "", iri, Kind.IRI))
        connection.executescript(_INDEXES)
        connection.execute("ANALYZE")
    return triples, len(every)


def _count(connection: sqlite3.Connection, store: rdf.Store) -> int:
    """Triples of each entity and uses of each predicate; a store gives the quads of a subject one after another."""
    total = 0
    for graph in store.named_graphs():
        entities: dict[str, int] = {}
        predicates: dict[str, list[int]] = {}
        last: tuple[str, str] = ("", "")
        for quad in store.quads_for_pattern(None, None, None, graph):
            total += 1
            subject = quad.subject.value if isinstance(quad.subject, rdf.NamedNode) else ""
            if subject:
                entities[subject] = entities.get(subject, 0) + 1
            uses = predicates.setdefault(quad.predicate.value, [0, 0])
            uses[0] += 1
            uses[1] += (str(quad.subject), quad.predicate.value) != last
            last = (str(quad.subject), quad.predicate.value)
        connection.executemany(
            "INSERT INTO entity VALUES (?, ?) ON CONFLICT (iri) DO UPDATE SET triples = triples + excluded.triples",
            entities.items(),
        )
        connection.executemany(
            "INSERT INTO predicate VALUES (?, ?, ?) ON CONFLICT (iri) DO UPDATE SET "
            "triples = triples + excluded.triples, subjects = subjects + excluded.subjects",
            [(iri, *uses) for iri, uses in predicates.items()],
        )
    return total


def _named(store: rdf.Store) -> Iterator[Name]:
    for kind, predicates in ((Kind.LABEL, LABELS), (Kind.ALIAS, ALIASES)):
        for rank, predicate in enumerate(predicates):
            for quad in store.quads_for_pattern(None, rdf.NamedNode(predicate), None, None):
                if isinstance(quad.subject, rdf.NamedNode) and isinstance(quad.object, rdf.Literal):
                    yield Name(quad.object.value, quad.object.language or "", quad.subject.value, kind, rank)


def _insert(connection: sqlite3.Connection, name: Name) -> None:
    folded = fold(name.text)
    if not folded or len(name.text) > LONGEST_NAME:
        return
    connection.execute("INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
                       (folded, name.text, name.language, name.iri, name.kind, name.rank))
    short = fold(unqualified(name.text))
    if short and short != folded:
        connection.execute("INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
                           (short, unqualified(name.text), name.language, name.iri, Kind.UNQUALIFIED, name.rank))


class Names:
    """The names in one file; any number of threads and processes read it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def called(self, folded: Iterable[str]) -> dict[str, list[Name]]:
        """The things that have one of these folded names, by it."""
        wanted, found = list(dict.fromkeys(folded)), {}
        with self._connection() as connection:
            for first in range(0, len(wanted), _ONE_QUERY):
                some = wanted[first : first + _ONE_QUERY]
                rows = connection.execute(
                    "SELECT folded, text, language, iri, kind, rank FROM name "
                    f"WHERE folded IN ({', '.join('?' * len(some))}) ORDER BY kind, rank", some,
                )
                for key, *name in rows:
                    found.setdefault(key, []).append(_name(name))
        return found

    def beginning(self, text: str, limit: int) -> list[Name]:
        """Things whose name begins with `text`, or holds it where too few begin with it; a thing once, best first."""
        folded = fold(text)
        if not folded:
            return []
        found: dict[str, Name] = {}
        pattern = re.sub(r"([%_\\])", r"\\\1", folded)
        with self._connection() as connection:
            for like in (f"{pattern}%", f"%{pattern}%"):
                rows = connection.execute(
                    "SELECT text, language, iri, kind, rank FROM name LEFT JOIN entity USING (iri) "
                    "WHERE folded LIKE ? ESCAPE '\\' "
                    "ORDER BY folded = ? DESC, kind, coalesce(triples, 0) DESC, length(folded) LIMIT ?",
                    (like, folded, limit * 4),
                )
                for row in rows:
                    found.setdefault(row[2], _name(row))
                if len(found) >= limit:
                    break
        return list(found.values())[:limit]

    def of(self, iris: Sequence[str]) -> dict[str, list[Name]]:
        """The names of each of these things, the best first."""
        wanted, found = list(dict.fromkeys(iris)), {}
        with self._connection() as connection:
            for first in range(0, len(wanted), _ONE_QUERY):
                some = wanted[first : first + _ONE_QUERY]
                rows = connection.execute(
                    "SELECT text, language, iri, kind, rank FROM name "
                    f"WHERE iri IN ({', '.join('?' * len(some))}) ORDER BY kind, rank, rowid", some,
                )
                for row in rows:
                    found.setdefault(row[2], []).append(_name(row))
        return found

    def triples(self, iri: str) -> int:
        """How many statements are about it."""
        with self._connection() as connection:
            row = connection.execute("SELECT triples FROM entity WHERE iri = ?", (iri,)).fetchone()
        return row[0] if row else 0

    def predicates(self) -> list[PredicateCount]:
        """All predicates, the most used first."""
        with self._connection() as connection:
            rows = connection.execute("SELECT iri, triples, subjects FROM predicate ORDER BY triples DESC, iri")
            return [PredicateCount(*row) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        address = f"{self._file.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection


def _name(row: Sequence) -> Name:
    text, language, iri, kind, rank = row
    return Name(text, language, iri, Kind(kind), rank)


def best(names: Sequence[Name], language: str) -> str:
    """The label to show to a reader of `language` (`en`, `zh`): in it, else in English or none, else the first."""
    def order(name: Name) -> tuple[bool, int]:
        own = name.language.split("-")[0].lower()
        return name.kind is Kind.ALIAS, [language, "en", ""].index(own) if own in (language, "en", "") else 3

    return min(names, key=order).text if names else ""
