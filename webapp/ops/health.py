"""Whether the parts of the site answer, each with a reason when it does not."""

from __future__ import annotations

from collections.abc import Callable
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from webapp.ops import embedded_redis, encryption, worker_pulse


def parts() -> dict[str, str]:
    """Each part's name with "ok" or a sentence that says what is wrong."""
    checks: dict[str, Callable[[], str]] = {
        "database": _database, "redis": _redis, "worker": _worker, "models": models,
        "encryption": encryption.state,
    }
    return {name: check() for name, check in checks.items()}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # each database has its own
        return f"the database does not answer: {error}"
    return "ok"


def _redis() -> str:
    return "ok" if embedded_redis.answers(settings.REDIS_URL) else "Redis does not answer"


def _worker() -> str:
    return "ok" if worker_pulse.beats(settings.REDIS_URL) else "no worker has given a sign of life lately"


def models() -> str:
    """"ok" when a model service answers, else why none does."""
    if not settings.MODELS_SERVICE_URLS:
        return "no model service is configured; `manage.py up` starts one"
    silent = []
    for url in settings.MODELS_SERVICE_URLS:
        try:
            with urlopen(_http(url), timeout=2):
                pass
        except OSError as error:
            silent.append(f"{url}: {error}")
    if len(silent) == len(settings.MODELS_SERVICE_URLS):
        return "the model service does not answer: " + "; ".join(silent)
    return "ok"


def _http(url: str) -> str:
    """The health address of the model service whose socket is at `url`."""
    return "http" + url.removeprefix("ws").rsplit("/", 1)[0] + "/healthz"
