"""Marks: set and taken back by those who may edit the collection, and given out as data sets.

    an evaluation set   a BEIR folder in a ZIP file, which `manage.py evaluate retrieval` reads once it is unpacked
    training pairs      JSON lines: a question, a passage that is right for it, passages that are not
"""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from typing import IO

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from models_service.formats.beir import CORPUS, QRELS, QUERIES
from qa.index import CollectionGone
from qa.index_database import IndexedPassage
from webapp.accounts.models import User
from webapp.errors import BadInput, Conflict
from webapp.knowledge import storage, texts
from webapp.knowledge.models import Document
from webapp.retrieval.models import Mark


def mark(user: User, document: Document, question: str, start: int, end: int, is_right: bool | None) -> Mark | None:
    """Say of a passage whether it is the right one for the question; None takes it back.

    Raises:
        BadInput: there is no such place in the document.
    """
    if not start < end <= document.characters:
        raise BadInput(_("The document has no such place."), "end")
    place = {"question": question, "document": document, "start": start, "end": end}
    if is_right is None:
        Mark.objects.filter(**place).delete()
        return None
    made, _new = Mark.objects.update_or_create(
        **place, defaults={"collection_id": document.collection_id, "is_right": is_right, "by": user}
    )
    return made


def write_evaluation_set(marks: QuerySet[Mark], out: IO[bytes]) -> None:
    """All passages of the collections that have marks, the questions with a right passage, and which ones are right.

    A mark whose place is cut otherwise by now counts for the passages that it overlaps by half or more.

    Raises:
        Conflict: no question has a right passage that is still there.
    """
    passages = {f"{p.document.id}:{p.start}-{p.end}": p for p in _passages(marks)}
    by_document: dict[str, list[str]] = defaultdict(list)
    for identifier, passage in passages.items():
        by_document[passage.document.id].append(identifier)
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for each in marks:
        for identifier in by_document[str(each.document_id)]:
            if _overlaps(each, passages[identifier]):
                grades[each.question][identifier] = int(each.is_right)
    judged = {question: found for question, found in grades.items() if any(found.values())}
    if not judged:
        raise Conflict(_("No question has a passage marked as right yet."))
    names = {question: f"q{number}" for number, question in enumerate(judged, start=1)}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CORPUS, _lines(
            {"_id": identifier, "title": p.document.title, "text": p.text} for identifier, p in passages.items()
        ))
        archive.writestr(QUERIES, _lines({"_id": name, "text": question} for question, name in names.items()))
        rows = [f"{names[question]}\t{identifier}\t{grade}"
                for question, found in judged.items() for identifier, grade in found.items()]
        archive.writestr(QRELS, "\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")


def write_pairs(marks: QuerySet[Mark], out: IO[bytes]) -> None:
    """A line for each right passage. Raises Conflict when there is none."""
    right: dict[str, list[str]] = defaultdict(list)
    wrong: dict[str, list[str]] = defaultdict(list)
    for each in marks.select_related("document"):
        text = texts.piece(each.document, each.start, each.end).text
        (right if each.is_right else wrong)[each.question].append(text)
    if not right:
        raise Conflict(_("No question has a passage marked as right yet."))
    out.write(_lines(
        {"query": question, "positive": positive, "negatives": wrong[question]}
        for question, positives in right.items() for positive in positives
    ).encode())


def _passages(marks: QuerySet[Mark]) -> Iterable[IndexedPassage]:
    for collection in marks.order_by().values_list("collection_id", flat=True).distinct():
        try:
            yield from storage.index(collection).every_passage()
        except CollectionGone:
            continue


def _overlaps(each: Mark, passage: IndexedPassage) -> bool:
    common = min(each.end, passage.end) - max(each.start, passage.start)
    return common * 2 >= min(each.end - each.start, passage.end - passage.start)


def _lines(rows: Iterable[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
