"""The jobs of this app as Celery knows them: thin shells that take ids."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from webapp.writing import translation_sweep, translation_work


@shared_task
def translate_file(file_id: str) -> None:
    """Translate one file. Harmless when another task has it, it is done, or it is gone."""
    translation_work.translate(UUID(file_id))


@worker_ready.connect
def _start_sweeper(**_: object) -> None:
    translation_sweep.Sweeper().start()
