"""Answers that people judged bad become training examples, once it is said what they should have been.

A note that stands word for word in one of the answer's passages is taken as the right answer by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from webapp import access
from webapp.accounts.models import User
from webapp.chat.models import Feedback
from webapp.errors import BadInput, Conflict
from webapp.knowledge import texts
from webapp.masking import without_personal_data
from webapp.training import datasets
from webapp.training.models import Correction, DatasetVersion, DataTask

AROUND = 700
"""Characters of the document that are taken on each side of a citation, cut at paragraphs."""
MOST_PASSAGES = 5
MOST_SHOWN = 200
NAME = "Corrections"
FILE = "corrections.jsonl"


@dataclass
class Case:
    """An answer that was judged bad, with the passages that it came from or that came nearest."""

    feedback: Feedback
    question: str
    answer: str
    passages: list[str]
    correction: Correction | None

    @property
    def suggestion(self) -> tuple[str, str] | None:
        """(passage, answer) when the person's note names the answer word for word."""
        note = self.feedback.note.strip()
        found = next((passage for passage in self.passages if note and note in passage), None)
        return (found, note) if found else None

    @property
    def is_written(self) -> bool:
        """By a text generator, not quoted."""
        verification = self.feedback.message.payload.get("verification") or {}
        return verification.get("method") == "generator"


def cases(user: User) -> list[Case]:
    """The newest of everybody: whoever judges an answer hands it to those who look after the models."""
    return [case(one, user) for one in _judged_bad()[:MOST_SHOWN]]


def _judged_bad() -> QuerySet[Feedback]:
    found = Feedback.objects.filter(helpful=False).select_related("message__parent", "correction", "user")
    return found.order_by("-created_at")


def case(feedback: Feedback, user: User) -> Case:
    payload = feedback.message.payload
    question = payload.get("question") or feedback.message.parent.text
    cited = [*payload.get("citations", []), *payload.get("nearest", [])][:MOST_PASSAGES]
    passages = list(dict.fromkeys(_passage(one, user) for one in cited))
    return Case(feedback, question, feedback.message.text, passages, getattr(feedback, "correction", None))


def _passage(citation: dict[str, Any], user: User) -> str:
    """The citation with what stands around it, where the administrator may read the document; else it alone."""
    document = access.readable_documents(user).filter(pk=citation["document"]).first()
    if document is None:
        return citation["quote"]
    try:
        begin = max(0, citation["start"] - AROUND)
        around = texts.piece(document, begin, citation["end"] + AROUND)
    except (BadInput, Conflict):
        return citation["quote"]
    inner, outer = citation["start"] - around.start, citation["end"] - around.start
    start = around.text.rfind("\n\n", 0, inner) + 2 if "\n\n" in around.text[:inner] else 0
    end = around.text.find("\n\n", outer)
    return around.text[start : end if end >= 0 else None].strip()


def correct(case: Case, context: str, answer: str, user: User | None) -> Correction:
    """Say what the answer should have been: words of the passage, or nothing when the passage does not answer."""
    context, answer = context.replace("\r\n", "\n").strip(), answer.replace("\r\n", "\n").strip()
    if not context:
        raise BadInput(_("Give the passage that the question is to be read beside."), "context")
    start = context.find(answer) if answer else None
    if start is not None and start < 0:
        raise BadInput(_("The right answer must stand in the passage, letter by letter. Copy it from there."),
                       "answer")
    made, _new = Correction.objects.update_or_create(
        feedback=case.feedback, defaults={"context": context, "answer": answer, "start": start, "made_by": user})
    return made


def waiting(user: User, since: datetime) -> int:
    """How many came after a moment: those that were saved, and the notes that will be taken for one."""
    saved = Correction.objects.filter(made_at__gt=since, feedback__helpful=False).count()
    noted = _judged_bad().filter(correction=None).exclude(note="")
    return saved + sum(case(one, user).suggestion is not None for one in noted)


def kept(text: str) -> str:
    """As it may stand in a data set."""
    return without_personal_data(text) if settings.MASK_PERSONAL_DATA else text


def _row(one: Case, correction: Correction) -> dict[str, Any]:
    """As a recipe reads it; personal data is masked where the setting says so, which keeps places as they are."""
    context, start = kept(correction.context), correction.start
    answers = []
    if start is not None and correction.answer:
        answers = [{"text": context[start : start + len(correction.answer)], "answer_start": start}]
    return {"id": f"feedback-{one.feedback.pk}", "question": kept(one.question), "context": context,
            "answers": answers, "is_impossible": not answers}


def corrected(user: User) -> list[tuple[Case, dict[str, Any]]]:
    """Each answer that is corrected, or whose note is taken for its correction, with the row that a reader learns."""
    found = []
    for one in (case(feedback, user) for feedback in _judged_bad()):
        correction = one.correction
        if correction is None and one.suggestion is not None:
            correction = correct(one, *one.suggestion, user)
        if correction is not None:
            found.append((one, _row(one, correction)))
    return found


def make(user: User) -> tuple[DatasetVersion, bool]:
    """All corrections as a data set, or as its next version; (version, whether nothing is new)."""
    rows = [row for _case, row in corrected(user)]
    if not rows:
        raise Conflict(_("No answer has been corrected yet. Say of one below what it should have been."))
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return datasets.keep_under(NAME, DataTask.QA, user, FILE, content,
                               description=_("Answers that were judged bad, with the right ones."))
