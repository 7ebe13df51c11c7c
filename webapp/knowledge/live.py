"""What happens to a collection's documents, as it happens: for its page, over however many restarts of Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from django.db.models import Q
from django.utils import timezone
from redis.asyncio import Redis
from redis.exceptions import RedisError

from webapp import event_log
from webapp.knowledge.models import Document, DocumentStatus
from webapp.knowledge.progress import log_name
from webapp.knowledge.serializers import document_json

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1, 2, 5)
RECENT = timedelta(seconds=event_log.KEEP_SECONDS)
MOST_AT_FIRST = 500

Numbered = tuple[int, dict[str, Any]]


async def changes(collection_id: str, after: int = 0) -> AsyncIterator[Numbered | None]:
    """Yield (number, event) without end, and None now and then when nothing happens.

    First comes how each document stands that is being read in or was lately, so that nothing is missed between the
    making of a page and this call, nor while Redis was away; with `after`, the deletions since that number too.
    """
    attempt = 0
    while True:
        try:
            async with (
                event_log.async_redis(tries_again=False) as redis,
                aclosing(_until_redis_goes(redis, collection_id, after)) as events,
            ):
                async for event in events:
                    attempt = 0
                    after = event[0] if event else after
                    yield event
        except (RedisError, OSError) as error:
            log.info("the progress of collection %s waits for Redis (%s)", collection_id, error)
            yield None
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1


async def _until_redis_goes(redis: Redis, collection_id: str, after: int) -> AsyncIterator[Numbered | None]:
    name = log_name(collection_id)
    newest = await event_log.last_number(redis, name)
    if 0 < after < newest:
        async with aclosing(event_log.follow(redis, name, after)) as missed:
            async for event in missed:
                if event is None or event[0] >= newest:
                    break
                if event[1]["type"] == "deleted":
                    yield event
    for document in await database_sync_to_async(_standing)(collection_id):
        yield newest, {"type": "document", **document}
    # the newest one once more, in case it was a deletion
    async with aclosing(event_log.follow(redis, name, max(newest - 1, 0))) as events:
        async for event in events:
            yield event


def _standing(collection_id: str) -> list[dict[str, Any]]:
    unfinished = Q(status__in=[DocumentStatus.QUEUED, DocumentStatus.PROCESSING])
    recent = Q(updated_at__gt=timezone.now() - RECENT)
    found = Document.objects.filter(unfinished | recent, collection=collection_id).order_by("-updated_at")
    return [document_json(document) for document in reversed(found[:MOST_AT_FIRST])]
