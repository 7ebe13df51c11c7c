"""The knowledge jobs as Celery knows them: thin shells that take ids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from webapp.knowledge import work, worker
from webapp.knowledge.web import services as web


@shared_task
def ingest(document_id: str) -> None:
    """Read one document in. Harmless when another task has it, it has been read, or it is gone."""
    worker.ingest(UUID(document_id))


@shared_task
def bring_in(import_id: str) -> None:
    """Fetch some of an import, and ask for the rest later. Harmless when another task has it, or it is done."""
    wait = worker.bring_in(UUID(import_id))
    if wait is not None:
        web.queue(UUID(import_id), wait)


@shared_task
def mend(collection_id: str) -> None:
    """Give a collection's passages the vectors that they lack. Harmless when they have them, or it is gone."""
    worker.mend(UUID(collection_id))


@shared_task
def give_codes(collection_id: str) -> None:
    """Make a large collection quick to search. Harmless when it is, or it is gone."""
    worker.give_codes(UUID(collection_id))


@worker_ready.connect
def _start_attendant(sender: Any, **_: object) -> None:
    if sender.app.conf.task_default_queue in sender.app.amqp.queues.consume_from:
        worker.Attendant().start()


@worker_shutting_down.connect
def _hand_work_back(**_: object) -> None:
    work.stopping.set()
