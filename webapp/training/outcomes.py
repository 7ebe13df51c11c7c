"""What came out of a job: its model's version, its evaluations, its needs; or in a sentence why it failed."""

from __future__ import annotations

import shutil
from typing import Any

import psutil
from django.db import transaction
from django.utils.translation import gettext as _

from webapp.training import orders, places
from webapp.training.models import Evaluation, Job, JobKind


def take_in(job: Job, finished: dict[str, Any]) -> dict[str, Any]:
    """Keep what the child's last event tells; what the job's row says of it."""
    if job.kind == JobKind.MEASURE:
        return {"measured": finished["measured"], **_against_what_is_free(finished["measured"])}
    if job.kind == JobKind.EVALUATE:
        return {"evaluations": _evaluations(job, job.options["models"], finished["reports"])}
    if job.kind == JobKind.COMPRESS:
        made = finished["registered"]
        both = [job.options["model"], f"{made['name']}@{made['version']}"]
        evaluations = _evaluations(job, both, finished["reports"]) if finished["reports"] else []
        return {**finished["result"], **made, "evaluations": evaluations}
    return {**finished.get("result", {}), **finished.get("registered", {})}


def _against_what_is_free(measured: dict[str, Any]) -> dict[str, Any]:
    """Free memory and disk, and what to change when they do not suffice."""
    free_memory, free_disk = psutil.virtual_memory().available, shutil.disk_usage(places.root()).free
    advice = ""
    # Its own memory was in use while it was measured, so what is free now is what a job can have.
    if measured["memory_bytes"] > 0.9 * free_memory:
        advice = _("This may not fit into the memory: halve the batch size.")
    elif measured["disk_bytes"] + orders.LEAST_FREE_BYTES > free_disk:
        advice = _("This does not fit on the disk: make room first.")
    return {"free_memory_bytes": free_memory, "free_disk_bytes": free_disk, "advice": advice}


@transaction.atomic
def _evaluations(job: Job, labels: list[str], reports: list[dict[str, Any]]) -> list[str]:
    """Of the models NAME@VERSION; their ids."""
    Evaluation.objects.filter(job=job).delete()
    condition = " → ".join(str(job.options[name]) for name in orders.CONDITIONS if name in job.options)
    made = []
    for number, (label, report) in enumerate(zip(labels, reports, strict=True)):
        name, _mark, version = label.partition("@")
        one = Evaluation(job=job, task=job.task, model=name, version=version, data=job.data,
                         data_label=job.data_label, condition=condition, n=report["n"], metrics=report["metrics"],
                         intervals=report["intervals"], labelling=report.get("labelling", {}),
                         seconds=report["seconds"])
        places.evaluation(one.pk).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(places.job(job.pk) / f"examples-{number}.jsonl", places.examples(one.pk))
        one.save(force_insert=True)
        made.append(str(one.pk))
    return made


def sentence(code: str, message: str) -> str:
    """The cause of a failure and what to do, for a person."""
    if code == "out_of_memory":
        return _("The memory did not suffice. Clone the job with a smaller batch size or a shorter window.")
    if code == "no_disk":
        return _("The disk is full. Make room on it, then resume.")
    if code == "killed":
        return _("The process was killed again and again at the same place, most likely because memory ran out. "
                 "Clone the job with a smaller batch size.")
    if message:
        return _("The training stopped with an error: %(message)s") % {"message": message[:500]}
    return _("The training ended unexpectedly; its last lines say more.")
