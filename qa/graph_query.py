"""SPARQL over the knowledge graph, read only: SELECT, ASK, CONSTRUCT and DESCRIBE, nothing fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import pyoxigraph as rdf

LONGEST_QUERY = 20_000
"""Characters."""
PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#", "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#", "foaf": "http://xmlns.com/foaf/0.1/",
    "dbo": "http://dbpedia.org/ontology/", "dbr": "http://dbpedia.org/resource/",
    "dbp": "http://dbpedia.org/property/", "schema": "http://schema.org/", "dct": "http://purl.org/dc/terms/",
}
"""May be used without being declared; a query's own declaration wins."""
_UPDATE = re.compile(
    r"(?is)(?:\s|#[^\n]*\n|(?:PREFIX\s+\S+|BASE)\s*<[^>]*>)*(?:INSERT|DELETE|LOAD|CLEAR|DROP|CREATE|COPY|MOVE|ADD|WITH)\b"
)
_FROM = re.compile(r"(?<![\w?$:.-])FROM(?![\w:.-])", re.IGNORECASE)
_NO_WORDS = re.compile(
    r"""<[^<>"{}|^`\x00-\x20]*>|\#[^\r\n]*|\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'""",
    re.DOTALL,
)
"""Addresses, comments and strings."""
_PLACE = re.compile(r"error at (\d+):(\d+)")
_LONGEST_EXPECTED = 5
_EXPECTED = re.compile(r"expected (?:one of )?(?P<what>.*)", re.DOTALL)


class BadQuery(ValueError):
    """The query is not run; `reason` is `empty`, `too_long`, `syntax`, `update` or `service`, the message says what
    to change, `line` and `column` count from 1 (None where they are not known)."""

    def __init__(self, reason: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.reason, self.line, self.column = reason, line, column


@dataclass(frozen=True)
class Value:
    """One value of a row; `text` is an address, a literal's text, or a blank node's number."""

    kind: Literal["iri", "literal", "blank"]
    text: str
    datatype: str = ""
    language: str = ""


@dataclass(frozen=True)
class Answers:
    """The result of a query.

    `columns` are the variables of a SELECT, `subject`, `predicate`, `object` of a CONSTRUCT or DESCRIBE, and nothing
    for an ASK, whose answer is `truth`. None in a row stands for an unbound variable. `more`: rows were left out.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Value | None, ...], ...] = ()
    more: bool = False
    truth: bool | None = None


def check(sparql: str) -> str:
    """The query if it may be run. Raises BadQuery; what else is wrong with it shows when it is run."""
    if not sparql.strip():
        raise BadQuery("empty", "The query is empty.")
    if len(sparql) > LONGEST_QUERY:
        raise BadQuery("too_long", f"The query has {len(sparql):,} characters; at most {LONGEST_QUERY:,} "
                                   "are allowed.")
    if "service" in sparql.lower():
        # Wherever it stands: the grammar needs no space around the keyword, so no search for words can be trusted,
        # and the store would really send requests. The keyword itself cannot be written with an escape.
        raise BadQuery("service", "The word SERVICE may not stand in a query, which reads this graph only. In an "
                                  "address or a text write it as servic\\u0065.")
    if _UPDATE.match(sparql):
        raise BadQuery("update", "Only SELECT, ASK, CONSTRUCT and DESCRIBE are allowed: a query changes nothing.")
    return sparql


def select(store: rdf.Store, sparql: str, most_rows: int) -> Answers:
    """The first `most_rows` rows. All named graphs together are what is asked, unless the query names one.

    Raises:
        BadQuery: see there.
    """
    try:
        chooses = _FROM.search(_NO_WORDS.sub(" ", check(sparql)))  # else the store would not heed it
        result = store.query(sparql, prefixes=PREFIXES, use_default_graph_as_union=not chooses)
        if isinstance(result, rdf.QueryBoolean):
            return Answers(truth=bool(result))
        if isinstance(result, rdf.QuerySolutions):
            columns = tuple(variable.value for variable in result.variables)
            return _answers(columns, (tuple(row[name] for name in columns) for row in result), most_rows)
        columns = ("subject", "predicate", "object")
        return _answers(columns, ((one.subject, one.predicate, one.object) for one in result), most_rows)
    except SyntaxError as error:
        raise _syntax(error) from None
    except OSError as error:
        raise BadQuery("syntax", str(error)) from None


def _answers(columns: tuple[str, ...], rows: Iterator[Sequence], most: int) -> Answers:
    first = [tuple(_value(term) for term in row) for row in islice(rows, most + 1)]
    return Answers(columns, tuple(first[:most]), more=len(first) > most)


def _value(term: rdf.NamedNode | rdf.BlankNode | rdf.Literal | rdf.Triple | None) -> Value | None:
    if term is None:
        return None
    if isinstance(term, rdf.NamedNode):
        return Value("iri", term.value)
    if isinstance(term, rdf.Literal):
        return Value("literal", term.value, term.datatype.value, term.language or "")
    if isinstance(term, rdf.BlankNode):
        return Value("blank", term.value)
    return Value("literal", str(term))


def _syntax(error: SyntaxError) -> BadQuery:
    """Without the long list of everything that could stand there."""
    said = str(error.args[0])
    place = _PLACE.search(said)
    line, column = (int(place[1]), int(place[2])) if place else (None, None)
    expected = _EXPECTED.search(said)
    if place and expected:
        what = expected["what"].split(", ")
        told = f"expected {', '.join(what)}" if len(what) <= _LONGEST_EXPECTED else "this cannot stand here"
        return BadQuery("syntax", f"Line {line}, column {column}: {told}.", line, column)
    return BadQuery("syntax", said, line, column)
