"""What a question asks of the knowledge graph: of which thing which relation, and the statements that answer it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from qa.graph_linking import Mention, described, link
from qa.graph_names import NAMING, last_part, local_name
from qa.graph_reading import DESCRIPTIONS, RDF_TYPE, Fact, Graph, Term
from qa.graph_relations import Asked, Fit, Kind, asked, fit
from qa.graph_values import amount_of, date_of
from qa.terms import stem, terms

_AGENTS = frozenset("person agent organisation organization company scientist writer politician artist band".split())
_NEITHER = frozenset((RDF_TYPE, *NAMING, *DESCRIPTIONS))
_VALUES_LOOKED_AT = 8


@dataclass(frozen=True)
class Reading:
    """One way to understand a question: of `thing`, what stands at the other end of `facts`, of one relation all.

    `backwards`: the thing is their object ("what did X write?"). `left` are words of the question that this does not
    account for.
    """

    question: Asked
    thing: str
    facts: tuple[Fact, ...]
    backwards: bool
    cue: int
    left: tuple[str, ...]

    @property
    def predicate(self) -> str:
        return last_part(self.facts[0].predicate.value)

    @property
    def values(self) -> list[Term]:
        return [fact.subject if self.backwards else fact.object for fact in self.facts]


def readings(question: str, graph: Graph, context: str = "", language: str = "en") -> list[Reading]:
    """The ways to understand the question that leave the fewest words over, the best first; empty when it asks for
    nothing that the graph says, or of namesakes that cannot be told apart."""
    wanted = asked(question)
    if wanted is None:
        return []
    found: list[Reading] = []
    for mention in link(question, graph, context):
        for things in (mention.namesakes, mention.others):
            of_each = [_of_thing(wanted, question, mention, thing, graph, language) for thing in things]
            answering = [some for some in of_each if some]
            if len(answering) == 1:
                found += answering[0]
            if answering:
                break  # what is asked tells namesakes apart as well: cities have no fathers
    found.sort(key=lambda reading: (len(reading.left), -reading.cue))
    return [reading for reading in found if len(reading.left) == len(found[0].left)]


def _of_thing(
    wanted: Asked, question: str, mention: Mention, thing: str, graph: Graph, language: str
) -> list[Reading]:
    rest = question[: mention.start] + " " * (mention.end - mention.start) + question[mention.end :]
    around = described(thing, graph)
    found = []
    # "who wrote X" asks for the author of X, never for what X is the author of
    for backwards in (False, True) if wanted.kind == "any" else (False,):
        facts = graph.about(thing, language, backwards=backwards)
        grouped: dict[str, list[Fact]] = {}
        for fact in facts:
            if fact.predicate.value not in _NEITHER:
                grouped.setdefault(fact.predicate.value, []).append(fact)
        for predicate, own in grouped.items():
            values = [fact.subject if backwards else fact.object for fact in own]
            fitting = _fit(wanted, rest, predicate, values, graph, around)
            if fitting is not None:
                found.append(Reading(wanted, thing, tuple(own), backwards, fitting.cue, fitting.left))
    return found


def _fit(
    wanted: Asked, rest: str, predicate: str, values: Sequence[Term], graph: Graph, around: Collection[str]
) -> Fit | None:
    names = [name.text for name in graph.names.of([predicate]).get(predicate, [])]
    explained = set(around)
    for value in values[:_VALUES_LOOKED_AT]:
        if value.kind == "iri":
            explained |= {stem(word) for kind in graph.types(value.value) for word in terms(kind)}
    explained |= {stem(word) for name in (*names, local_name(predicate)) for word in terms(name)}
    labels = [local_name(predicate), *names]
    return fit(wanted, rest, last_part(predicate), labels, gives(values, predicate, graph), explained)


def gives(values: Sequence[Term], predicate: str, graph: Graph) -> Kind:
    """What the values of a relation are, by the first of them."""
    first = values[0]
    if date_of(first, last_part(predicate)) is not None:
        return "date"
    if amount_of(first) is not None:
        return "number"
    if first.kind == "iri" and _AGENTS & {kind.lower() for kind in graph.types(first.value)}:
        return "agent"
    return "any"
