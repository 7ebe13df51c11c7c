"""Passages that were marked on the search page become a data set on which an encoder can be trained and measured."""

from __future__ import annotations

import io
import json

from django.conf import settings
from django.utils.translation import gettext as _

from webapp import access
from webapp.accounts.models import User
from webapp.masking import without_personal_data
from webapp.retrieval import marking
from webapp.training import datasets
from webapp.training.models import DatasetVersion, DataTask

NAME = "Marked passages"
FILE = "marked-passages.jsonl"


def make(user: User) -> tuple[DatasetVersion, bool]:
    """All marks in collections that the user may edit; (version, whether nothing is new).

    Personal data is masked where the setting says so. Raises Conflict when no passage is marked as right.
    """
    pairs = io.BytesIO()
    marking.write_pairs(access.editable_marks(user), pairs)
    content = pairs.getvalue()
    if settings.MASK_PERSONAL_DATA:
        content = b"".join(_masked(line) for line in content.splitlines())
    return datasets.keep_under(NAME, DataTask.RETRIEVAL, user, FILE, content,
                               description=_("Questions with passages that were marked as right or wrong."))


def _masked(line: bytes) -> bytes:
    row = json.loads(line)
    masked = {name: [without_personal_data(text) for text in value] if isinstance(value, list)
              else without_personal_data(value) for name, value in row.items()}
    return json.dumps(masked, ensure_ascii=False).encode() + b"\n"
