"""Writes down what a job's child is to do (spec.json in its folder) and gives the command that does it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any, get_origin

from django.conf import settings
from django.utils.translation import gettext as _

import models_service.training
from models_service.compression.methods import METHODS, needs_data
from models_service.training.plan import Plan
from webapp.errors import Conflict
from webapp.settings.places import models_folder
from webapp.training import places, subjects
from webapp.training.models import DatasetVersion, Job, JobKind

LEAST_FREE_BYTES = 300_000_000
CONDITIONS = ("source", "target", "length")
"""Options of an evaluation that figures hang on; those of different ones are never compared."""


def prepare(job: Job) -> list[str]:
    """The child's command. Conflict when the job cannot be done, with what to do."""
    folder = places.job(job.pk)
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise Conflict(_("Only %(free)s MB are free on the disk; a job needs %(least)s MB. Make room, then resume.")
                       % {"free": free // 1_000_000, "least": LEAST_FREE_BYTES // 1_000_000})
    if not (folder / "spec.json").is_file():
        spec = _SPECS.get(job.kind, _training)(job)
        fresh = folder / "spec.json.new"
        fresh.write_text(json.dumps(spec, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(folder / "spec.json")
    command = [sys.executable, "-m", _PROGRAMS.get(job.kind, "models_service.training"), str(folder)]
    return [*command, "--measure"] if job.kind == JobKind.MEASURE else command


def _file(job: Job, side: str) -> Path:
    if job.data is None:
        raise Conflict(_("The data set of this job was deleted."))
    file = places.side(job.data, side)
    if not file.is_file():
        raise Conflict(_("The files of the data set are missing from the data folder."))
    return file


def _training(job: Job) -> dict[str, Any]:
    base = job.options["base"]
    subject = subjects.SUBJECTS[job.task]
    held_out = str(_file(job, "held-out")) if job.data and job.data.rows_held_out else None
    source = subjects.base_source(base)
    # An adapter on a version of this registry would need that version for ever, so the whole model is saved.
    fields = subjects.recipe(job.task).settings.model_fields
    merged = {"merge": True} if "merge" in fields and source and Path(source).is_dir() else {}
    files = {"data": [str(_file(job, "train"))]}
    plan = {name: job.options[name] for name in Plan.model_fields if name in job.options}
    if held_out and not plan:  # what divides the training rows leaves those that were held out unseen
        files["evaluation"] = [held_out] if get_origin(fields["evaluation"].annotation) is list else held_out
    return {
        "task": subject.recipe,
        "settings": {**{name: value for name, value in job.options.items() if name not in ("base", *plan)}, **files,
                     **merged, **({"base": source} if source else {})},
        "plan": plan,
        "register": {"folder": str(models_folder(settings.DATA_DIR)), "name": subject.model},
        "card": {"run": str(job.pk), "base": base, "settings": job.options, "code": code_version(),
                 "data": _told(job.data)},
    }


def _evaluation(job: Job) -> dict[str, Any]:
    options = {name: job.options[name] for name in ("limit", *CONDITIONS) if name in job.options}
    return {"task": subjects.SUBJECTS[job.task].evaluation, "models": job.options["models"],
            "data": str(_file(job, "held-out")), "models_folder": str(models_folder(settings.DATA_DIR)),
            "options": options}


def _compression(job: Job) -> dict[str, Any]:
    options, models = dict(job.options), str(models_folder(settings.DATA_DIR))
    method, model, limit = options.pop("method"), options.pop("model"), options.pop("limit", None)
    wanted = METHODS[method].settings.model_validate(options)
    learns = job.data is not None and needs_data(method, wanted)
    evaluation = None
    if job.data and job.data.rows_held_out and job.task in subjects.SUBJECTS:
        evaluation = {"task": subjects.SUBJECTS[job.task].evaluation, "data": str(_file(job, "held-out")),
                      "options": {"limit": limit} if limit else {},
                      "rows": min(limit or job.data.rows_held_out, job.data.rows_held_out)}
    return {
        "method": method, "settings": wanted.model_dump(), "model": model, "models_folder": models,
        "data": [str(_file(job, "train"))] if learns else [], "evaluation": evaluation, "task": job.task,
        "register": {"folder": models, "name": model.partition("@")[0]},
        "card": {"run": str(job.pk), "base": model, "settings": job.options, "code": code_version(),
                 **({"data": _told(job.data)} if learns else {})},
    }


def _export(job: Job) -> dict[str, Any]:
    return {**job.options, "models_folder": str(models_folder(settings.DATA_DIR))}


_SPECS = {JobKind.EVALUATE: _evaluation, JobKind.COMPRESS: _compression, JobKind.EXPORT: _export}
_PROGRAMS = {JobKind.EVALUATE: "webapp.training.evaluating", JobKind.COMPRESS: "webapp.training.compressing",
             JobKind.EXPORT: "models_service.exporting"}


def _told(data: DatasetVersion) -> dict[str, Any]:
    """What a card says of the data that was learned."""
    return {"name": data.dataset.name, "version": data.number, "id": str(data.pk), "sha256": data.sha256,
            "rows": data.rows_train}


def code_version() -> str:
    """Tells one state of the training code from another, with or without a version control."""
    digest = hashlib.sha256()
    for file in sorted(Path(models_service.training.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
