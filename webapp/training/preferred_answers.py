"""Answers of a text generator that were judged bad become pairs that one can learn from: the correction is preferred.

Of what the generator was told only the passages that it cited are kept, so the question is put as the chat puts it,
beside the one passage that the correction is of; both answers name that passage. Where it does not answer, or the
generator found no answer, the answer is what says so.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.utils.translation import gettext as _

from qa.marks import SHOWN
from qa.prompt import NO_ANSWER, messages
from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.training import corrections, datasets
from webapp.training.corrections import Case
from webapp.training.models import DatasetVersion, DataTask

NAME = "Preferred answers"
FILE = "preferred-answers.jsonl"
_REPEATED = re.compile(r"\[1\](?:\s*\[1\])+")


def make(user: User) -> tuple[DatasetVersion, bool]:
    """All corrected answers that a generator wrote, as a data set or its next version; (version, whether nothing is
    new). Raises Conflict when there are none."""
    pairs = [_pair(case, row) for case, row in corrections.corrected(user) if case.is_written]
    rows = [pair for pair in pairs if pair["chosen"] != pair["rejected"]]
    if not rows:
        raise Conflict(_("No answer that a text generator wrote has been corrected yet. Say of one below what it "
                         "should have been."))
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return datasets.keep_under(NAME, DataTask.PREFERENCES, user, FILE, content,
                               description=_("Answers of a text generator that were judged bad, and better ones."))


def _pair(case: Case, row: dict[str, Any]) -> dict[str, Any]:
    """`row` is as for a reader: the question, the passage and the right answer in it, if there is one."""
    told = messages(row["question"], [("", row["context"])])
    answer = row["answers"][0]["text"] if row["answers"] else ""
    return {"id": row["id"], "messages": [{"role": one.role, "content": one.content} for one in told],
            "chosen": f"{answer} [1]" if answer else NO_ANSWER,
            "rejected": _of_one_passage(corrections.kept(case.answer)) or NO_ANSWER}


def _of_one_passage(answer: str) -> str:
    return _REPEATED.sub("[1]", SHOWN.sub("[1]", answer)).strip()
