"""The graph's jobs as Celery knows them: thin shells that take ids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from webapp.graph import importing, sweep


@shared_task
def work_on(source_id: str) -> None:
    """Import one file, or remove it, as its row says."""
    importing.run(UUID(source_id))


@worker_ready.connect
def _start_sweeper(sender: Any, **_: object) -> None:
    if sender.app.conf.task_default_queue in sender.app.amqp.queues.consume_from:
        sweep.Sweeper().start()
