"""Redis in its three uses: Celery's broker, the channel layer and the event log."""

from __future__ import annotations

from webapp.settings.places import redis_url

REDIS_URL = redis_url()

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}},
}


def broker_url(url: str) -> str:
    """The same Redis as Celery writes its address: redis-py's unix:// is its redis+socket://."""
    return url.replace("unix://", "redis+socket://", 1)


TRAINING_QUEUE = "training"
"""Of jobs that take minutes to hours; a worker of its own takes them, one at a time."""
CELERY_TASK_ROUTES = {"webapp.training.tasks.*": {"queue": TRAINING_QUEUE}}
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A web request must not hang for the broker: the sweep queues what could not be sent.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 10}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
