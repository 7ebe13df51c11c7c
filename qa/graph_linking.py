"""Link what a text speaks of to things in the knowledge graph: by their names, and among namesakes by context.

Names are compared without case, accents and punctuation (`qa.graph_names.fold`). Of several things of one name that
one is taken whose kinds, description and neighbours share words with the context; where nothing tells them apart,
the mention says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.graph_names import Kind, Name, fold
from qa.graph_reading import Graph
from qa.scripts import CJK, is_cjk
from qa.terms import STOP_WORDS, stem, terms

LONGEST_TEXT = 2_000
"""Characters looked at."""
MOST_WORDS = 8
MOST_CJK = 14
"""Characters of a Chinese name; one-character names are too often parts of other words."""
MOST_NAMESAKES = 20
MOST_NEIGHBOURS = 20
APART_FROM = 0.2
"""A namesake must be so much better than the next to be taken for it."""
A_SHARED_WORD = 0.25
ENOUGH_SHARED = 3
_KIND = {Kind.LABEL: 1.0, Kind.ALIAS: 0.9, Kind.UNQUALIFIED: 0.7, Kind.IRI: 0.9}
_WORD = re.compile(rf"[^\W_{CJK}]+")
_RUN_CJK = re.compile(rf"[{CJK}·]{{2,}}")


@dataclass(frozen=True)
class Mention:
    """A place in the text and the thing that it means.

    `namesakes` are the addresses of all things that it may mean as well as `iri`, which is among them: one, where it
    is clear. `others` are things of this name that it means less likely, the likeliest first. `weak`: a common word
    of small letters that is a name too.
    """

    start: int
    end: int
    text: str
    iri: str
    namesakes: tuple[str, ...]
    others: tuple[str, ...] = ()
    weak: bool = False


def link(text: str, graph: Graph, context: str = "") -> list[Mention]:
    """What the text mentions, in its order; of names within names the longest only.

    Args:
        context: more words that tell namesakes apart, such as the passage that was read.
    """
    text = text[:LONGEST_TEXT]
    spans = _spans(text)
    folded = {span: fold(text[slice(*span)]) for span in spans}
    known = graph.names.called(name for name in folded.values() if name)
    taken: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if known.get(folded[span]) and not any(span[0] < end and start < span[1] for start, end in taken):
            taken.append(span)
    words = _words(f"{text} {context}")
    return [_mention(text, span, known[folded[span]], graph, words) for span in sorted(taken)]


def _spans(text: str) -> list[tuple[int, int]]:
    """All places that may be a name: runs of words that do not begin or end with a common one, parts of Chinese."""
    words = [match.span() for match in _WORD.finditer(text)]
    found = []
    for first, (start, _) in enumerate(words):
        for last in range(first, min(first + MOST_WORDS, len(words))):
            end = words[last][1]
            said = text[start:end]
            if "\n" in said:
                break
            common = said.lower() in STOP_WORDS or said.isdigit() or len(said) == 1
            if not (common and first == last):
                found.append((start, end))
    for run in _RUN_CJK.finditer(text):
        for start in range(run.start(), run.end() - 1):
            for end in range(start + 2, min(start + MOST_CJK, run.end()) + 1):
                found.append((start, end))
    return found


def _mention(
    text: str, span: tuple[int, int], names: Sequence[Name], graph: Graph, context: set[str]
) -> Mention:
    said = text[slice(*span)]
    own = _words(said)
    best: dict[str, float] = {}
    for name in names[:MOST_NAMESAKES]:
        best[name.iri] = max(best.get(name.iri, 0.0), _KIND[name.kind] + (0.05 if name.text == said else 0.0))
    if len(best) > 1:
        for iri in best:
            shared = (context - own) & described(iri, graph)
            best[iri] += A_SHARED_WORD * min(len(shared), ENOUGH_SHARED)
    ranked = sorted(best, key=lambda iri: (-best[iri], -graph.names.triples(iri), iri))
    near = tuple(iri for iri in ranked if best[iri] > best[ranked[0]] - APART_FROM)
    weak = not is_cjk(said) and said.islower() and not any(name.text[:1].islower() for name in names)
    return Mention(*span, said, ranked[0], near, tuple(iri for iri in ranked if iri not in near), weak)


def described(iri: str, graph: Graph, language: str = "en") -> set[str]:
    """The words that stand around a thing in the graph: of its names, kinds, description and neighbours."""
    texts = [name.text for name in graph.names.of([iri]).get(iri, [])]
    for fact in graph.about(iri, language):
        if fact.object.kind != "blank":
            texts.append(fact.object.label)
    texts += [fact.subject.label for fact in graph.about(iri, language, backwards=True)[:MOST_NEIGHBOURS]]
    return {word for text in texts for word in _words(text)}


def _words(text: str) -> set[str]:
    return {stem(word) for word in terms(text)}
