"""How many tasks wait in Celery's queues, asked of Redis."""

from __future__ import annotations

from redis import Redis

from webapp.celery import app
from webapp.settings.queues import TRAINING_QUEUE


def depths(redis: Redis) -> dict[str, int]:
    """Tasks that no worker has taken yet, by queue; raises RedisError or OSError."""
    return {name: redis.llen(name) for name in (app.conf.task_default_queue, TRAINING_QUEUE)}
