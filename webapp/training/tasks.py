"""The training jobs as Celery knows them: thin shells that take ids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from webapp.settings.queues import TRAINING_QUEUE
from webapp.training import claims, trainer


@shared_task
def run(job_id: str) -> None:
    """Do one job. Harmless when it is done, stopped or gone, or another worker has it."""
    trainer.run(UUID(job_id))


@worker_ready.connect
def _start_attendant(sender: Any, **_: object) -> None:
    if TRAINING_QUEUE in sender.app.amqp.queues.consume_from:
        trainer.Attendant().start()


@worker_shutting_down.connect
def _hand_job_back(**_: object) -> None:
    claims.stopping.set()
