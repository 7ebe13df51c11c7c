"""Divides a data set into training and held-out rows by document, so that no text stands on both sides.

Where rows have a label, each label is divided by itself, so that its share is the same on both sides.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
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
    if task == "chat":
        return next((m["content"] for m in row["messages"] if m["role"] == "user"), row["messages"][0]["content"])
    return row[min(name for name in row if name != "side")]


def split(
    rows: Sequence[dict[str, Any]], task: str, share: float, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(training rows, held-out rows), each in the order of `rows`.

    Args:
        share: of the rows that are held out, 0 to 1, as near as whole documents allow; with a share above zero and
            two documents, both sides get one.
    """
    documents = _documents(rows, task)
    order = sorted(documents)
    random.Random(seed).shuffle(order)
    strata: dict[str, list[str]] = defaultdict(list)
    for key in order:
        strata[_stratum(rows, documents[key])].append(key)
    held: set[int] = set()
    for keys in strata.values():
        held |= _held_out(documents, keys, share)
    return ([row for i, row in enumerate(rows) if i not in held], [row for i, row in enumerate(rows) if i in held])


def _stratum(rows: Sequence[dict[str, Any]], indices: Sequence[int]) -> str:
    """What is to have the same share on both sides: a document's label, the first where it has several."""
    return rows[indices[0]].get("label", "")


def _held_out(documents: dict[str, list[int]], order: list[str], share: float) -> set[int]:
    """Rows of these documents, which are taken in their order."""
    wanted, held, taken = share * sum(len(documents[key]) for key in order), set(), 0
    if wanted and len(order) > 1:
        smallest = min(order, key=lambda key: len(documents[key]))
        order.sort(key=lambda key: len(documents[key]) > 1.5 * wanted and key != smallest)
    for key in order[:-1]:  # one is always left to train on
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
