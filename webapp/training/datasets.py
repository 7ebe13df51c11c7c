"""What changes data sets: a file comes in, is checked row by row, split and kept as a version that never changes."""

from __future__ import annotations

import json
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from models_service.formats import splits
from models_service.formats.checking import Checked, check
from models_service.formats.raw_rows import FileRefused, rows_of, unpacked
from models_service.sealed import files
from qa.encodings import NotText, decode
from webapp.accounts.models import User
from webapp.errors import BadInput, Conflict
from webapp.training import overlaps, places, rows_file, sentences
from webapp.training.models import UNFINISHED, Dataset, DatasetVersion, Job
from webapp.uploads import plain_name, receive

HELD_OUT_SHARE = 0.2
SEED = 13
SHOWN_PROBLEMS = 200
SHOWN_LABELS = 100
HARMLESS = frozenset(("duplicate",))
"""A row that is left out for this takes nothing away."""


def create_with_file(
    name: str, task: str, user: User | None, file_name: str, chunks: Iterable[bytes], *,
    share: float = HELD_OUT_SHARE, description: str = "",
) -> DatasetVersion:
    """A data set and its first version; neither when the file is of no use."""
    dataset = Dataset(name=name.strip(), task=task, description=description, created_by=user)
    _check(dataset)
    return add_version(dataset, user, file_name, chunks, share=share)[0]


def keep_under(
    name: str, task: str, user: User, file_name: str, content: bytes, *, description: str
) -> tuple[DatasetVersion, bool]:
    """What the site gathers, as the data set of this name or its next version; (version, whether known)."""
    known = Dataset.objects.filter(name=name, task=task).first()
    if known is None:
        return create_with_file(name, task, user, file_name, [content], description=description), False
    return add_version(known, user, file_name, [content])


def _check(dataset: Dataset) -> None:
    try:
        dataset.full_clean(exclude=["created_by"] if dataset.created_by is None else None)
    except ValidationError as error:
        if Dataset.objects.filter(name=dataset.name).exists():
            raise BadInput(_("There is a data set of this name. Open it to add a version, or choose another name."),
                           "name") from None
        raise BadInput(" ".join(error.messages), next(iter(error.message_dict), "")) from None


def _save(dataset: Dataset) -> None:
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
    except IntegrityError:  # while the file was read, another one was given the name
        _check(dataset)
        raise


def add_version(
    dataset: Dataset, user: User | None, file_name: str, chunks: Iterable[bytes], *, share: float | None = None
) -> tuple[DatasetVersion, bool]:
    """Check and keep a file; (version, whether the data set had this content already). A new data set is saved too.

    Args:
        share: of the rows that are held out for evaluation, by document. By default as in the version before, whose
            documents then stay on their sides: what a model learned there is not measured on.

    Raises:
        BadInput: no row of it is of use; the sentence says why.
        TooLarge: the file is larger than the site takes.
    """
    if share is not None and not 0 <= share < 1:
        raise BadInput(_("The held-out share is from 0 to 90 %."), "share")
    file_name = plain_name(file_name, "data.json")
    identifier = uuid.uuid4()
    folder = places.dataset(identifier)
    folder.mkdir(parents=True)
    try:
        size = receive(chunks, folder / "original", file_name).size
        checked = _checked(folder / "original", file_name, dataset.task)
        version, known = _keep(dataset, user, identifier, file_name, size, checked, share)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if known:
        shutil.rmtree(folder, ignore_errors=True)
    return version, known


def _checked(file: Path, name: str, task: str) -> Checked:
    try:
        checked = check(rows_of(decode(unpacked(file)), name), task)
    except NotText:
        raise BadInput(sentences.file_refused("no_text", {}, name), "file") from None
    except FileRefused as refused:
        raise BadInput(sentences.file_refused(refused.code, refused.values, name), "file") from None
    if not checked.rows:
        told = [sentences.problem(asdict(problem)) for problem in checked.problems[:3]]
        raise BadInput(_("%(name)s has no row that can be used. %(first)s")
                       % {"name": name, "first": " ".join(told)}, "file")
    return checked


def _keep(
    dataset: Dataset, user: User | None, identifier: uuid.UUID, name: str, size: int, checked: Checked,
    share: float | None,
) -> tuple[DatasetVersion, bool]:
    before, share = _division_before(dataset) if share is None else ({}, share)
    train, held_out = splits.split(checked.rows, dataset.task, share, SEED, before)
    digest = splits.content_hash([{"train": True}, *train, {"train": False}, *held_out])
    folder = places.dataset(identifier)
    rows_file.write(identifier, train, held_out)
    with files.create_text(folder / "problems.jsonl") as file:
        file.writelines(json.dumps(asdict(problem), ensure_ascii=False) + "\n" for problem in checked.problems)
    left_out = [one for one in checked.problems if not one.kept and one.code not in HARMLESS]
    version = DatasetVersion(
        id=identifier, dataset=dataset, sha256=digest, file_name=name, size=size, is_accepted=not left_out,
        rows_read=checked.read, rows_train=len(train), rows_held_out=len(held_out), created_by=user,
        report=_report(checked, dataset.task, train, held_out),
    )
    version.report["overlap"] = overlaps.count(version, train, held_out)
    for side, rows in (("train", train), ("held-out", held_out)):
        splits.write(rows, dataset.task, places.side(version, side))
    with transaction.atomic():
        if dataset._state.adding:
            _save(dataset)
        Dataset.objects.select_for_update().get(pk=dataset.pk)  # versions are numbered one after another
        known = dataset.versions.filter(sha256=digest).first()
        if known is not None:
            return known, True
        newest = dataset.versions.first()
        version.number = newest.number + 1 if newest else 1
        version.save(force_insert=True)
    return version, False


def _division_before(dataset: Dataset) -> tuple[dict[str, bool], float]:
    """Of the newest version's texts whether each was held out, and the share that was."""
    newest = None if dataset._state.adding else dataset.newest
    if newest is None:
        return {}, HELD_OUT_SHARE
    with suppress(FileNotFoundError):
        sides = {splits.text_of(row, dataset.task): row["side"] == "held-out" for row in rows_file.rows(newest)}
        return sides, newest.rows_held_out / newest.rows
    return {}, HELD_OUT_SHARE


def _report(
    checked: Checked, task: str, train: list[dict[str, Any]], held_out: list[dict[str, Any]]
) -> dict[str, Any]:
    lengths = [len(splits.text_of(row, task)) for row in checked.rows]
    report = {
        "counts": checked.counts(), "normalised": checked.normalised,
        "problems": [asdict(problem) for problem in checked.problems[:SHOWN_PROBLEMS]],
        "more_problems": max(0, len(checked.problems) - SHOWN_PROBLEMS),
        "lengths": splits.histogram(lengths), "texts": len({splits.text_of(row, task) for row in checked.rows}),
    }
    if task == "qa":
        report["unanswerable"] = sum(not row["answers"] for row in checked.rows)
    if task == "translate":
        report["languages"] = sorted({code for row in checked.rows for code in row})
    if task in ("classification", "token-classification"):
        counts = [Counter(label for row in rows for label in _labels(row))
                  for rows in (checked.rows, train, held_out)]
        balance = [{"label": label, "train": counts[1][label], "held_out": counts[2][label]}
                   for label, _count in counts[0].most_common()]
        report |= {"labels": balance[:SHOWN_LABELS], "more_labels": len(balance[SHOWN_LABELS:])}
    return report


def _labels(row: dict[str, Any]) -> list[str]:
    return [one["label"] for one in row["entities"]] if "entities" in row else [row["label"]]


def accept(version: DatasetVersion) -> None:
    """Agree that the rows that could not be used are left out."""
    DatasetVersion.objects.filter(pk=version.pk).update(is_accepted=True)


def delete(dataset: Dataset) -> None:
    """The data set with its versions and files. Conflict while a job needs it."""
    with transaction.atomic():
        using = Job.objects.filter(data__dataset=dataset, status__in=UNFINISHED).first()
        if using is not None:
            raise Conflict(_("The job “%(job)s” uses this data set. Cancel it first, or wait for its end.")
                           % {"job": using})
        folders = [places.dataset(pk) for pk in dataset.versions.values_list("pk", flat=True)]
        dataset.delete()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
