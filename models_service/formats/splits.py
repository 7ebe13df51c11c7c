"""Divides a data set into training and held-out rows by document, so that no text stands on both sides.

Where rows have a label, each label is divided by itself, so that its share is the same on both sides.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models_service.formats.files import FormatError
from models_service.sealed import files

LEAST_TITLES = 5
"""With fewer titles than this a document is a text; else it is all texts under one title."""
BINS = 12


def text_of(row: dict[str, Any], task: str) -> str:
    """The text of a row that must not stand on both sides."""
    if task == "qa":
        return row["context"]
    if task in ("summarize", "classification", "token-classification"):
        return row["text"]
    if task == "retrieval":
        return row["positive"]
    if task in ("chat", "preferences"):
        return next((m["content"] for m in row["messages"] if m["role"] == "user"), row["messages"][0]["content"])
    return row[min(name for name in row if name != "side")]


def split(
    rows: Sequence[dict[str, Any]], task: str, share: float, seed: int,
    before: Mapping[str, bool] = MappingProxyType({}),
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(training rows, held-out rows), each in the order of `rows`.

    Args:
        share: of the rows that are held out, 0 to 1, as near as whole documents allow; with a share above zero and
            two documents, both sides get one.
        before: of texts that were divided earlier, whether each was held out. Their documents stay on their side, so
            that what was learned is never measured on; the new ones make up the share as far as they can.
    """
    documents = _documents(rows, task)
    order = sorted(documents)
    random.Random(seed).shuffle(order)
    strata: dict[str, list[str]] = defaultdict(list)
    for key in order:
        strata[_stratum(rows, documents[key])].append(key)
    sides = {key: _side_before(rows, documents[key], task, before) for key in order}
    held: set[int] = set()
    for keys in strata.values():
        stay = [index for key in keys if sides[key] for index in documents[key]]
        new = [key for key in keys if sides[key] is None]
        missing = share * sum(len(documents[key]) for key in keys) - len(stay)
        held.update(stay)
        if len(new) == len(keys) or new and 2 * missing >= min(len(documents[key]) for key in new):
            held |= _held_out(documents, new, missing, leaves_one=not any(sides[key] is False for key in keys))
    return ([row for i, row in enumerate(rows) if i not in held], [row for i, row in enumerate(rows) if i in held])


def _stratum(rows: Sequence[dict[str, Any]], indices: Sequence[int]) -> str:
    """What is to have the same share on both sides: a document's label, the first where it has several."""
    return rows[indices[0]].get("label", "")


def _side_before(
    rows: Sequence[dict[str, Any]], indices: Sequence[int], task: str, before: Mapping[str, bool]
) -> bool | None:
    """Whether a document was held out; not when any of its texts was learned. None: it is new."""
    known = [before[text] for text in (text_of(rows[index], task) for index in indices) if text in before]
    return all(known) if known else None


def _held_out(
    documents: dict[str, list[int]], order: list[str], wanted: float, *, leaves_one: bool
) -> set[int]:
    """About so many rows, of these documents, which are taken in their order; `leaves_one` to train on."""
    held, taken = set(), 0
    if wanted and len(order) > 1:
        smallest = min(order, key=lambda key: len(documents[key]))
        order.sort(key=lambda key: len(documents[key]) > 1.5 * wanted and key != smallest)
    for key in order[:-1] if leaves_one else order:
        if taken >= wanted:
            break
        if not taken or taken + len(documents[key]) <= 1.5 * wanted:
            held.update(documents[key])
            taken += len(documents[key])
    return held


def folds(
    rows: Sequence[dict[str, Any]], task: str, count: int, seed: int
) -> list[list[dict[str, Any]]]:
    """The rows in `count` parts of like size, each document whole in one of them; the order of `rows` is kept.

    Raises:
        FormatError: there are fewer documents than parts.
    """
    documents = _documents(rows, task)
    if len(documents) < count:
        raise FormatError(f"the data has {len(documents)} documents, too few to divide it into {count} folds")
    order = sorted(documents)
    random.Random(seed).shuffle(order)
    parts: list[list[int]] = [[] for _ in range(count)]
    for key in sorted(order, key=lambda one: (-len(documents[one]), _stratum(rows, documents[one]))):
        min(parts, key=len).extend(documents[key])
    return [[rows[index] for index in sorted(part)] for part in parts]


def _documents(rows: Sequence[dict[str, Any]], task: str) -> dict[str, list[int]]:
    """Row indices by document. Titles that share a text are one document."""
    titles = {row.get("title", "") for row in rows}
    by_title = task == "qa" and len(titles - {""}) >= LEAST_TITLES
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    keys = []
    for row in rows:
        text = "text:" + hashlib.sha256(text_of(row, task).encode("utf-8", "surrogatepass")).hexdigest()
        if by_title and row.get("title"):
            parent[root("title:" + row["title"])] = root(text)
        keys.append(text)
    documents: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        documents[root(key)].append(index)
    return documents


def content_hash(rows: Sequence[dict[str, Any]]) -> str:
    """The same for the same rows in the same order, whatever file they came in."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def histogram(lengths: Sequence[int]) -> list[dict[str, int]]:
    """Counts in bins of equal width: {"from", "to", "count"}, `to` not included."""
    if not lengths:
        return []
    low, high = min(lengths), max(lengths) + 1
    width = max(1, -(-(high - low) // BINS))
    counts = [0] * (-(-(high - low) // width))
    for length in lengths:
        counts[(length - low) // width] += 1
    return [{"from": low + i * width, "to": low + (i + 1) * width, "count": count} for i, count in enumerate(counts)]


def file_name(side: str, task: str) -> str:
    """Of the "train" or "held-out" rows, with the ending of the format that `write` gives them."""
    return f"{side}.{'json' if task == 'qa' else 'jsonl'}"


def write(rows: Sequence[dict[str, Any]], task: str, path: Path) -> None:
    """In the format that the task's recipe and its evaluation read: SQuAD JSON for qa, JSON Lines for the others."""
    if task != "qa":
        with files.create_text(path) as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return
    articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        asked = articles.setdefault(row["title"], {}).setdefault(row["context"], [])
        asked.append({"id": row["id"], "question": row["question"], "answers": row["answers"],
                      "is_impossible": not row["answers"]})
    data = [{"title": title, "paragraphs": [{"context": context, "qas": asked} for context, asked in texts.items()]}
            for title, texts in articles.items()]
    files.write_bytes(path, json.dumps({"version": "2.0", "data": data}, ensure_ascii=False).encode("utf-8"))
