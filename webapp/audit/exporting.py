"""The audit log as CSV or JSON, a piece at a time: a log of years never lies in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from django.db.models import QuerySet

from webapp.audit.models import Entry

FIELDS = ("at", "action", "actor_id", "actor", "subject", "details", "address", "request_id")
AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


async def as_csv(entries: QuerySet[Entry]) -> AsyncIterator[str]:
    yield _line(FIELDS)
    async for entry in entries.aiterator(AT_ONCE):
        yield _line([_harmless(value) for value in _values(entry).values()])


async def as_json(entries: QuerySet[Entry]) -> AsyncIterator[str]:
    """One array, one entry a line."""
    before = "[\n"
    async for entry in entries.aiterator(AT_ONCE):
        yield before + json.dumps(_values(entry), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


FORMATS = {"csv": ("text/csv; charset=utf-8", as_csv), "json": ("application/json", as_json)}


def _values(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in FIELDS} | {"at": entry.at.isoformat()}


def _harmless(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(values: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()
