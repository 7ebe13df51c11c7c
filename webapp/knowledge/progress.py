"""Tells the worker that a document waits, and the pages how far it is.

Both go through Redis and both are courtesies: what counts is the row, which the worker's sweep finds by itself.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webapp import event_log
from webapp.knowledge.models import Document
from webapp.knowledge.serializers import document_json

log = logging.getLogger(__name__)


def log_name(collection_id: UUID | str) -> str:
    """The event log that a collection's page follows."""
    return f"collection:{collection_id}"


def queue(document: Document) -> None:
    """Ask the worker to read `document`, once the running transaction has ended."""
    from webapp.knowledge.tasks import ingest

    announce(document)

    def send() -> None:
        try:
            ingest.delay(str(document.pk))
        except (OperationalError, RedisError, OSError) as error:
            log.warning("the queue does not answer (%s); the worker will find document %s itself", error, document.pk)

    transaction.on_commit(send)


def announce(document: Document) -> None:
    append(document.collection_id, {"type": "document", **document_json(document)})


def announce_deletion(collection_id: UUID, document_id: UUID) -> None:
    append(collection_id, {"type": "deleted", "id": str(document_id)})


def append(collection_id: UUID, event: dict) -> None:
    """Tell those who follow the collection."""
    with suppress(RedisError, OSError), event_log.sync_redis() as redis:
        event_log.append_sync(redis, log_name(collection_id), event)
