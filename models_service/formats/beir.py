"""Read retrieval data: a BEIR folder, or the paragraphs and questions of a SQuAD file. Plain or gzip.

A BEIR folder (Thakur et al. 2021) holds corpus.jsonl (`_id`, `title`, `text`), queries.jsonl (`_id`, `text`) and
qrels/test.tsv (query id, corpus id, grade; a first line of column names), each of them with or without `.gz`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_service.formats.squad import FormatError, read_squad

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"


@dataclass(frozen=True)
class Query:
    """`grades` says how relevant each judged document is; at least one is above 0."""

    id: str
    text: str
    grades: dict[str, int]


@dataclass(frozen=True)
class RetrievalData:
    """`documents` are texts by id; a title, where there is one, is a text's first line."""

    documents: dict[str, str]
    queries: list[Query]


def read_retrieval(path: Path) -> RetrievalData:
    """A BEIR folder, or a SQuAD file: each paragraph a document, relevant to the questions about it.

    Raises:
        FormatError: a file is missing or is not what it should be; the sentence says where.
    """
    return _read_folder(path) if path.is_dir() else _of_squad(path)


def _of_squad(path: Path) -> RetrievalData:
    questions = read_squad(path)
    ids = {context: f"paragraph-{n}" for n, context in enumerate(dict.fromkeys(q.context for q in questions), start=1)}
    return RetrievalData(
        {identifier: context for context, identifier in ids.items()},
        [Query(question.id, question.question, {ids[question.context]: 1}) for question in questions],
    )


def _read_folder(folder: Path) -> RetrievalData:
    documents = {}
    for identifier, row in _records(_file(folder, CORPUS)):
        documents[identifier] = "\n\n".join(part for part in (row.get("title") or "", row["text"]) if part.strip())
    texts = {identifier: row["text"] for identifier, row in _records(_file(folder, QUERIES))}
    grades = _grades(_file(folder, QRELS))
    judged = [Query(name, text, grades[name]) for name, text in texts.items() if name in grades]
    queries = [query for query in judged if any(grade > 0 for grade in query.grades.values())]
    if not queries:
        raise FormatError(f"{folder}: {QRELS} names no relevant document of any query in {QUERIES}")
    if not any(name in documents for query in queries for name in query.grades):
        raise FormatError(f"{folder}: no document that {QRELS} names is in {CORPUS}")
    return RetrievalData(documents, queries)


def _file(folder: Path, name: str) -> Path:
    found = next((file for file in (folder / name, folder / f"{name}.gz") if file.is_file()), None)
    if found is None:
        raise FormatError(f"{folder} holds no {name} (or {name}.gz); a BEIR folder has {CORPUS}, {QUERIES}, {QRELS}")
    return found


def _records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's id and object."""
    for number, line in _lines(file):
        try:
            row = json.loads(line)
            if not isinstance(row["text"], str) or not isinstance(row.get("title") or "", str):
                raise TypeError("text and title must be strings")
            yield str(row["_id"]), row
        except (ValueError, KeyError, TypeError, RecursionError) as problem:
            raise FormatError(
                f'{file}, line {number}: expected an object with "_id" and "text" ({type(problem).__name__}: {problem})'
            ) from None


def _grades(file: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, line in _lines(file):
        columns = line.rstrip("\r\n").split("\t")
        if number == 1 and not columns[-1].lstrip("-").isdigit():
            continue  # the columns' names
        try:
            query, document, grade = columns
            found.setdefault(query, {})[document] = int(grade)
        except ValueError:
            sentence = f"{file}, line {number}: expected query id, corpus id and a whole number, with tabs between"
            raise FormatError(sentence) from None
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered from 1. Gzip is told by its first bytes, not by the name."""
    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            with gzip.open(raw) if packed else raw as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield number, line.decode("utf-8-sig")
        except (OSError, EOFError, UnicodeDecodeError) as problem:
            raise FormatError(f"{file} is not UTF-8 text (gzip allowed): {problem}") from problem
