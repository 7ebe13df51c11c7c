"""Read retrieval data: a BEIR folder, pairs of a question and its passage, or a SQuAD file. Plain or gzip.

A BEIR folder (Thakur et al. 2021) holds corpus.jsonl (`_id`, `title`, `text`), queries.jsonl (`_id`, `text`) and
qrels/test.tsv (query id, corpus id, grade; a first line of column names), each of them with or without `.gz`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models_service.formats.files import FormatError, read_text
from models_service.formats.json_lines import read_json_lines
from models_service.formats.labelled import read_objects
from models_service.formats.retrieval_pairs import BadPair, pair_of
from models_service.formats.squad import read_squad

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"


@dataclass(frozen=True)
class Query:
    """`grades` says how relevant each judged document is; at least one is above 0. 0 is judged not to be."""

    id: str
    text: str
    grades: dict[str, int]


@dataclass(frozen=True)
class RetrievalData:
    """`documents` are texts by id; a title, where there is one, is a text's first line."""

    documents: dict[str, str]
    queries: list[Query]


def read_retrieval(path: Path) -> RetrievalData:
    """A BEIR folder; a file that ends in .json, SQuAD, each paragraph a document that is relevant to the questions
    about it; else rows of a question and passages, right and wrong ones, each text a document.

    Raises:
        FormatError: a file is missing or is not what it should be; the sentence says where.
    """
    if path.is_dir():
        return _read_folder(path)
    return _of_squad(path) if path.name.lower().removesuffix(".gz").endswith(".json") else _of_pairs(path)


def _of_pairs(path: Path) -> RetrievalData:
    documents: dict[str, str] = {}
    grades: dict[str, dict[str, int]] = {}
    for number, values in read_objects(path):
        try:
            pair = pair_of(values)
        except BadPair as bad:
            raise FormatError(f'{path}, row {number}, "{bad.field}": {bad}') from None
        own = grades.setdefault(pair.query, {})
        for text, grade in ((pair.positive, 1), *((text, 0) for text in pair.negatives)):
            name = documents.setdefault(text, f"passage-{len(documents) + 1}")
            own[name] = max(grade, own.get(name, 0))
    return RetrievalData(
        {name: text for text, name in documents.items()},
        [Query(f"q{number}", query, own) for number, (query, own) in enumerate(grades.items(), start=1)],
    )


def _of_squad(path: Path) -> RetrievalData:
    questions = read_squad(path)
    paragraphs = dict.fromkeys(question.context for question in questions)
    ids = {context: f"paragraph-{number}" for number, context in enumerate(paragraphs, start=1)}
    return RetrievalData(
        {identifier: context for context, identifier in ids.items()},
        [Query(question.id, question.question, {ids[question.context]: 1}) for question in questions],
    )


def _read_folder(folder: Path) -> RetrievalData:
    documents = {name: "\n\n".join(part for part in (title, text) if part.strip())
                 for name, title, text in _texts(_file(folder, CORPUS))}
    grades = _grades(_file(folder, QRELS))
    judged = [Query(name, text, grades[name]) for name, _, text in _texts(_file(folder, QUERIES)) if name in grades]
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


def _texts(file: Path) -> Iterator[tuple[str, str, str]]:
    """Each line's id, title and text."""
    for number, row in read_json_lines(file):
        identifier, title, text = row.get("_id"), row.get("title") or "", row.get("text")
        if not isinstance(identifier, str | int) or not isinstance(text, str) or not isinstance(title, str):
            raise FormatError(f'{file}, line {number}: expected "_id", "text" and perhaps "title", each a string')
        yield str(identifier), title, text


def _grades(file: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(read_text(file, "text").split("\n"), start=1):
        columns = line.rstrip("\r").split("\t")
        if not line.strip() or (number == 1 and not columns[-1].lstrip("-").isdigit()):
            continue  # nothing, or the columns' names
        try:
            query, document, grade = columns
            found.setdefault(query, {})[document] = int(grade)
        except ValueError:
            sentence = f"{file}, line {number}: expected query id, corpus id and a whole number, with tabs between"
            raise FormatError(sentence) from None
    return found
