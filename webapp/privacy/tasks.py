"""The jobs of this app as Celery knows them: thin shells that take ids."""

from __future__ import annotations

from celery import shared_task

from webapp.privacy import exporting


@shared_task
def export(export_id: int) -> None:
    """Put one person's export together. Harmless when it is done, gone, or another task's."""
    exporting.make(export_id)
