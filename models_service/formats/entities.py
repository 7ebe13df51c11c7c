"""Read texts with what stands in them marked: rows with `text` and `entities`, or with `tokens` and `tags` as CoNLL
has them; JSON Lines or JSON, plain or gzip.

Tags are as in B-PER, I-PER, O (BIO, BIOES, BILOU), or bare labels. Tokens are joined to a text by spaces, those of
Chinese or Japanese without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models_service.engines.labelling import Word, entities
from models_service.formats.files import FormatError
from models_service.formats.labelled import label_of, read_objects
from models_service.formats.row_text import BadRow

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]")


@dataclass(frozen=True, order=True)
class Marked:
    """text[start:end] is what the label is of."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class MarkedText:
    """`entities` are in the order of the text and share no character."""

    id: str
    text: str
    entities: tuple[Marked, ...]


def read_marked(path: Path) -> list[MarkedText]:
    """Raises FormatError, which names the row and the field."""
    rows = []
    for number, values in read_objects(path):
        try:
            text, marked = marked_of(values)
        except BadRow as bad:
            raise FormatError(f"{path}, row {number}, {bad}; mend or remove the row") from None
        rows.append(MarkedText(str(values.get("id") or number), text, marked))
    return rows


def marked_of(values: dict[str, Any]) -> tuple[str, tuple[Marked, ...]]:
    """A row's text and entities, in either form. Raises BadRow."""
    if "tokens" in values or "tags" in values:
        return _of_tokens(values)
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadRow("text", "missing" if text is None else "empty")
    if not isinstance(values.get("entities"), list):
        raise BadRow("entities", "no_entities", str(values.get("entities"))[:80])
    found = sorted(_marked(number, one, text) for number, one in enumerate(values["entities"], start=1))
    for one, other in zip(found, found[1:], strict=False):
        if other.start < one.end:
            raise BadRow("entities", "overlapping", text[other.start : other.end][:80])
    return text, tuple(found)


def _marked(number: int, one: Any, text: str) -> Marked:
    place = f"entities[{number}]"
    if not isinstance(one, dict):
        raise BadRow(place, "no_object")
    label, start, end = label_of(one.get("label")), one.get("start"), one.get("end")
    if label is None:
        raise BadRow(f"{place}.label", "no_label", str(one.get("label"))[:80])
    is_place = all(isinstance(at, int) and not isinstance(at, bool) for at in (start, end))
    if not is_place or not 0 <= start < end <= len(text):
        raise BadRow(place, "no_place", f"{start}–{end}"[:80])
    return Marked(start, end, label)


def _of_tokens(values: dict[str, Any]) -> tuple[str, tuple[Marked, ...]]:
    tokens, tags = values.get("tokens"), values.get("tags")
    for field, given in (("tokens", tokens), ("tags", tags)):
        if given is None:
            raise BadRow(field, "missing")
        if not isinstance(given, list) or not given or not all(isinstance(one, str) and one.strip() for one in given):
            raise BadRow(field, "no_words", str(given)[:80])
    if len(tokens) != len(tags):
        raise BadRow("tags", "other_number", f"{len(tags)} / {len(tokens)}")
    text, places = _joined(tokens)
    names = list(dict.fromkeys(tags))
    words = [Word(*place, np.eye(len(names))[names.index(tag)]) for place, tag in zip(places, tags, strict=True)]
    return text, tuple(Marked(one.start, one.end, one.label) for one in entities(words, names))


def _joined(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    text, places = "", []
    for token in tokens:
        if text and not (_UNSPACED.match(text[-1]) and _UNSPACED.match(token[0])):
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
    return text, places
