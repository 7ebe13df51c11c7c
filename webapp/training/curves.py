"""A job's curves: each point as its run told it, and all of them as a table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from webapp.training import stream

MOST_EVENTS = 100_000


def points(job_id: UUID) -> list[dict[str, Any]]:
    """Those of a run that went on from a checkpoint replace what was told beyond it before."""
    found: list[dict[str, Any]] = []
    for _number, event in stream.reader(job_id).read(MOST_EVENTS):
        if event.get("started"):
            found = [point for point in found if point["step"] <= event["step"]]
        elif "step" in event:
            found.append(event)
    return found


def table(found: Sequence[dict[str, Any]]) -> str:
    """CSV: a row a step, a column a figure; a metric's column has its own name."""
    rows: dict[int, dict[str, Any]] = {}
    for point in found:
        figures = {name: value for name, value in point.items() if name not in ("steps", "metrics")}
        rows.setdefault(point["step"], {}).update(figures | point.get("metrics", {}))
    names = list(dict.fromkeys(["step", "time", *(name for row in rows.values() for name in row)]))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows(rows.values())
    return out.getvalue()
