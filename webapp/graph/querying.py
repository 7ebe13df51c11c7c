"""SPARQL of administrators: asked with its limits, and the result as W3C's JSON and CSV."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from qa import graph_sparql
from qa.graph_query import Answers, BadQuery, Value
from qa.graph_sparql import MOST_ROWS, SECONDS
from webapp.errors import BadInput, Unavailable
from webapp.graph import refusals, storage

__all__ = ["EXAMPLES", "MOST_ROWS", "SECONDS", "Asked", "as_csv", "as_json", "ask"]

EXAMPLES = (
    (gettext_lazy("What kinds of things there are"),
     "SELECT ?kind (COUNT(*) AS ?things)\nWHERE { ?thing a ?kind }\nGROUP BY ?kind\n"
     "ORDER BY DESC(?things)\nLIMIT 50"),
    (gettext_lazy("How often each predicate is used"),
     "SELECT ?predicate (COUNT(*) AS ?statements)\nWHERE { ?thing ?predicate ?value }\nGROUP BY ?predicate\n"
     "ORDER BY DESC(?statements)\nLIMIT 50"),
    (gettext_lazy("How much each file states"),
     "SELECT ?file (COUNT(*) AS ?statements)\nWHERE { GRAPH ?file { ?thing ?predicate ?value } }\nGROUP BY ?file"),
    (gettext_lazy("Things by their label"),
     "SELECT ?thing ?label\nWHERE {\n  ?thing rdfs:label ?label\n  FILTER(CONTAINS(LCASE(?label), \"curie\"))\n}\n"
     "LIMIT 50"),
    (gettext_lazy("All that is said of one thing"), "DESCRIBE dbr:Marie_Curie"),
)
"""Names, and queries to begin with."""


@dataclass(frozen=True)
class Asked:
    answers: Answers
    seconds: float


def ask(query: str) -> Asked:
    """Raises BadInput with a sentence that says what to change, Unavailable when the graph is damaged."""
    began = time.monotonic()
    try:
        answers = graph_sparql.ask(storage.store().folder, query)
    except BadQuery as error:
        if error.reason == "damaged":
            raise Unavailable(str(error)) from None
        raise BadInput(refusals.of_query(error), "query") from None
    return Asked(answers, round(time.monotonic() - began, 3))


def as_json(asked: Asked) -> dict[str, Any]:
    """https://www.w3.org/TR/sparql11-results-json/, and beside it whether rows were left out, and the time."""
    answers = asked.answers
    more = {"is_cut": answers.more, "seconds": asked.seconds}
    if answers.truth is not None:
        return {"head": {}, "boolean": answers.truth, **more}
    rows = [{name: _term(value) for name, value in zip(answers.columns, row, strict=True) if value}
            for row in answers.rows]
    return {"head": {"vars": list(answers.columns)}, "results": {"bindings": rows}, **more}


def as_csv(asked: Asked) -> str:
    """https://www.w3.org/TR/sparql11-results-csv-tsv/: plain values."""
    answers, out = asked.answers, io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if answers.truth is not None:
        writer.writerows([["answer"], [str(answers.truth).lower()]])
    else:
        writer.writerow(answers.columns)
        writer.writerows([value.text if value else "" for value in row] for row in answers.rows)
    return out.getvalue()


def _term(value: Value) -> dict[str, str]:
    term = {"type": {"iri": "uri", "blank": "bnode"}.get(value.kind, "literal"), "value": value.text}
    if value.language:
        return {**term, "xml:lang": value.language}
    if value.datatype and value.datatype != "http://www.w3.org/2001/XMLSchema#string":
        return {**term, "datatype": value.datatype}
    return term
