"""A row of retrieval data: a question, a passage that is right for it, and passages that are not.

The names are those in use: `query`, `question` or `anchor`; `positive`, `passage`, `context` or `document`;
`negatives`, a list of texts, or one text under `negative`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

QUERY = ("query", "question", "anchor")
POSITIVE = ("positive", "passage", "context", "document")
NEGATIVES = ("negatives", "negative")


class BadPair(ValueError):
    """`field` is the one that is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Pair:
    query: str
    positive: str
    negatives: tuple[str, ...] = ()


def field_of(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Which of the names the row uses; the first when it uses none."""
    return next((name for name in names if values.get(name) is not None), names[0])


def negatives_of(values: Mapping[str, Any]) -> list[Any]:
    """As the row has them; whoever takes them checks that they are texts."""
    given = values.get(field_of(values, NEGATIVES))
    if isinstance(given, list | tuple):
        return list(given)
    return [] if given in (None, "") else [given]


def pair_of(values: Mapping[str, Any]) -> Pair:
    """Raises BadPair."""
    query, positive = (_text(values, field_of(values, names)) for names in (QUERY, POSITIVE))
    name = field_of(values, NEGATIVES)
    negatives = [_text({name: one}, name) for one in negatives_of(values)]
    return Pair(query, positive, tuple(one for one in dict.fromkeys(negatives) if one != positive))


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise BadPair(name, "expected a text that is not empty; fill it in or remove the row")
    return text
