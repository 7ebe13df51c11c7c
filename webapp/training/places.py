"""Where the files of data sets, jobs and evaluations lie in the data folder.

    training/datasets/VERSION/   the file as it came, its rows, and the two sides as recipes read them
    training/jobs/JOB/           a run's folder (models_service/training/run_folder.py), or an evaluation's
    training/evaluations/ID/     examples.jsonl: each row's result
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings

from models_service.formats import splits
from webapp.training.models import DatasetVersion


def root() -> Path:
    return settings.DATA_DIR / "training"


def dataset(version_id: UUID | str) -> Path:
    return root() / "datasets" / str(version_id)


def rows(version_id: UUID | str) -> Path:
    return dataset(version_id) / "rows.jsonl"


def job(job_id: UUID | str) -> Path:
    return root() / "jobs" / str(job_id)


def evaluation(evaluation_id: UUID | str) -> Path:
    return root() / "evaluations" / str(evaluation_id)


def examples(evaluation_id: UUID | str) -> Path:
    return evaluation(evaluation_id) / "examples.jsonl"


def side(version: DatasetVersion, name: str) -> Path:
    """The file of the "train" or "held-out" rows, as the task's recipe reads it."""
    return dataset(version.pk) / splits.file_name(name, version.dataset.task)
