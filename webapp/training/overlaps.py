"""Held-out rows whose text stands in training rows: counted when a data set comes in, told wherever it is chosen.

Within a data set the split sees to it that no text stands on both sides, but texts that are nearly the same may; and
two data sets may hold the same texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from models_service.formats.overlap import overlap
from webapp.training import places, rows_file
from webapp.training.models import DatasetVersion

MOST_ROWS = 100_000
"""Of the other data sets, the newest first: no more are compared, so that an upload does not wait for long."""


def count(version: DatasetVersion, train: Sequence[dict[str, Any]], held_out: Sequence[dict[str, Any]]) -> list[dict]:
    """Of a version that is not saved yet, with itself and with the newest version of each other data set of its task:
    {"trained", "measured": ids of versions, "of": held-out rows, "exact", "near": how many of them}."""
    task = version.dataset.task
    found = [_entry(version.pk, train, version.pk, held_out, task)]
    for other in _others(version):
        rows = {side: list(rows_file.rows(other, side=side)) for side in ("train", "held-out")}
        found += [_entry(other.pk, rows["train"], version.pk, held_out, task),
                  _entry(version.pk, train, other.pk, rows["held-out"], task)]
    return [entry for entry in found if entry["exact"] or entry["near"]]


def _others(version: DatasetVersion) -> list[DatasetVersion]:
    versions = DatasetVersion.objects.filter(dataset__task=version.dataset.task).exclude(dataset=version.dataset_id)
    newest: dict[UUID, DatasetVersion] = {}
    for one in versions.select_related("dataset").order_by("dataset", "-number"):
        newest.setdefault(one.dataset_id, one)
    there = sorted(newest.values(), key=lambda one: one.created_at, reverse=True)
    reached = accumulate(one.rows for one in there)
    return [one for one, rows in zip(there, reached, strict=True)
            if rows <= MOST_ROWS and places.rows(one.pk).is_file()]


def _entry(
    trained: UUID, train: Sequence[dict[str, Any]], measured: UUID, held_out: Sequence[dict[str, Any]], task: str
) -> dict[str, Any]:
    found = overlap(held_out, train, task)
    return {"trained": str(trained), "measured": str(measured), "of": len(held_out), "exact": found.exact,
            "near": found.near}


def near(trained: DatasetVersion, measured: DatasetVersion) -> int:
    """How many held-out rows of `measured` were found to be nearly the same as training rows of `trained`."""
    ends = {"trained": str(trained.pk), "measured": str(measured.pk)}
    entries = [*trained.report.get("overlap", ()), *measured.report.get("overlap", ())]
    return next((entry["near"] for entry in entries if ends.items() <= entry.items()), 0)


def notes(versions: Iterable[DatasetVersion]) -> dict[UUID, list[str]]:
    """For each version of one task the sentences to be told; data sets that are gone are told of no more."""
    wanted = {str(one.pk): one for one in versions}
    if not wanted:
        return {}
    task = next(iter(wanted.values())).dataset.task
    known = {str(one.pk): one for one in
             DatasetVersion.objects.filter(dataset__task=task).select_related("dataset")}
    told: dict[UUID, list[str]] = defaultdict(list)
    for one in known.values():
        for entry in one.report.get("overlap", ()):
            ends = {entry["trained"], entry["measured"]}
            for identifier in ends & wanted.keys() if ends <= known.keys() else ():
                told[wanted[identifier].pk].append(_sentence(entry, known))
    return told


def _sentence(entry: dict[str, Any], known: dict[str, DatasetVersion]) -> str:
    ends = {end: known[entry[end]] for end in ("measured", "trained")}
    return _("Of the %(of)s held-out rows of “%(measured)s”, %(exact)s have a text that stands in the training rows "
             "of “%(trained)s”, and %(near)s more have one that nearly does. They do not measure what was trained on "
             "it.") % {**entry, **ends}
