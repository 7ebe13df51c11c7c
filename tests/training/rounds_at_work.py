"""What befalls a round of a retraining in the tests: its jobs come to their ends without a child."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from models_service.registry import READER, versions_in
from webapp.training import places, rounds
from webapp.training.models import Evaluation, Job, JobStatus, Round

BETTER, WORSE = ([0, 1] * 20, [1, 1] * 20), ([1, 1] * 20, [0, 1] * 20)
"""Each row's value, of what is served and of the candidate."""


def file(count: int) -> list[bytes]:
    """So many rows, a document each."""
    rows = [{"context": f"Keeper {n} lives in Oslo.", "question": "Where?", "answer": "Oslo"} for n in range(count)]
    return [json.dumps(rows).encode()]


def went_on() -> Round | None:
    """The newest round, after a worker has looked around once."""
    rounds.go_on()
    return Round.objects.first()


def done(job: Job, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(status=JobStatus.DONE, **values)


def trained(one: Round, reader: Path) -> str:
    """Its training has registered this reader; the version."""
    version = versions_in(settings.DATA_DIR / "models").register(reader, READER).version
    done(one.training, result={"name": READER, "version": version})
    return version


def measured(one: Round, before: list[int], after: list[int]) -> None:
    for version, values in ((one.incumbent, before), (one.candidate, after)):
        mean = 100 * sum(values) / len(values)
        made = Evaluation.objects.create(
            job=one.measuring, task="qa", model=READER, version=version, data=one.data, data_label=str(one.data),
            n=len(values), metrics={"em": mean, "f1": mean}, intervals={}, seconds=1)
        places.evaluation(made.pk).mkdir(parents=True)
        places.examples(made.pk).write_text("".join(
            json.dumps({"id": str(n), "em": value, "f1": value}) + "\n" for n, value in enumerate(values)))
    done(one.measuring)
