"""Does the knowledge graph agree with an answer, and what does it answer itself?

The thing asked about is linked, the relation asked for is found among what the graph says of it, and the answer is
compared with the graph's values. Better unknown than wrong: nothing is said where the question was not understood,
where namesakes are not told apart, where the answer denies something, or where a relation has many values and the
graph may lack one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.graph_agreement import compare, way_up
from qa.graph_asking import Reading, readings
from qa.graph_reading import Fact, Graph, Term
from qa.graph_values import shown
from qa.scripts import is_cjk

MOST_LEFT = 2
"""Words of the question that a confirmed answer may leave unexplained; one that is contradicted leaves none."""
ONE_VALUE_UP_TO = 1.5
"""Values of a thing on average: a relation with more may have others that the graph does not list."""
MOST_VALUES = 5
"""Of an answer from the graph alone, and of a relation whose every value an answer must differ from."""


@dataclass(frozen=True)
class Verdict:
    """What the graph says of an answer; `facts` are the statements that confirm it, or what they say otherwise."""

    verdict: Literal["confirmed", "contradicted", "unknown"]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class GraphAnswer:
    """An answer from the graph alone, and the statements that it is."""

    text: str
    facts: tuple[Fact, ...]


UNKNOWN = Verdict("unknown")


def verdict(question: str, answer: str, span: str, graph: Graph, passages: Sequence[str] = ()) -> Verdict:
    """Compare the answer with the graph.

    Args:
        question: as it was searched for, its subject named.
        span: the exact part of the answer, "" where none is marked.
        passages: what was read, which tells namesakes apart.
    """
    language = "zh" if is_cjk(question) else "en"
    contradicted = None
    for reading in readings(question, graph, " ".join(passages), language):
        if len(reading.left) > (0 if reading.backwards else MOST_LEFT):
            continue
        agreement = compare(reading, answer, span, graph, language)
        if agreement.comparison == "same":
            return Verdict("confirmed", agreement.facts)
        if agreement.comparison == "different" and contradicted is None and _may_contradict(reading, graph):
            contradicted = Verdict("contradicted", agreement.facts)
    return contradicted or UNKNOWN


def _may_contradict(reading: Reading, graph: Graph) -> bool:
    if reading.backwards or reading.left or len(reading.values) > MOST_VALUES:
        return False
    predicate = reading.facts[0].predicate.value
    used = next(each for each in graph.names.predicates() if each.iri == predicate)
    return used.triples <= ONE_VALUE_UP_TO * used.subjects


def answer_from_graph(question: str, graph: Graph) -> GraphAnswer | None:
    """The graph's own answer to a simple factual question; None where it has none, or more than one."""
    language = "zh" if is_cjk(question) else "en"
    found = [reading for reading in readings(question, graph, "", language) if not reading.left]
    best = [reading for reading in found if reading.cue == found[0].cue]
    if len(best) != 1 or len(best[0].values) > MOST_VALUES:
        return None
    reading = best[0]
    facts, values = list(reading.facts), reading.values
    noun = reading.question.place_noun
    if noun and len(values) == 1 and values[0].kind == "iri" and not _is(values[0].value, noun, graph):
        way = way_up(values[0].value, lambda place: _is(place, noun, graph), graph, language)
        if way:
            facts, values = [*facts, *way], [way[-1].object]
    said = [shown(value, language) for value in values]
    return GraphAnswer(("、" if language == "zh" else ", ").join(said), tuple(facts))


def _is(iri: str, kind: str, graph: Graph) -> bool:
    return kind in (each.lower() for each in graph.types(iri))


def described(facts: Sequence[Fact], language: str) -> list[dict[str, Any]]:
    """The statements as an answer carries them: `subject`, `predicate` and `object` with `label` and `iri` ("" for a
    literal), and the `source`, the file that says so."""
    return [
        {"subject": _part(fact.subject, language), "predicate": _part(fact.predicate, language),
         "object": _part(fact.object, language), "source": fact.source} for fact in facts
    ]


def _part(term: Term, language: str) -> dict[str, str]:
    return {"label": shown(term, language), "iri": term.value if term.kind == "iri" else ""}
