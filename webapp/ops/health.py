"""Whether the parts of the site answer, each with a reason when it does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from webapp.ops import embedded_redis, encryption, worker_pulse
from webapp.ops.preflight import LEAST_FREE_BYTES

OK = "ok"


@dataclass(frozen=True)
class Standing:
    """`why` is OK, or says what is wrong. Without a part that is not `needed` the site still answers."""

    name: str
    why: str
    needed: bool = True

    @property
    def ok(self) -> bool:
        return self.why == OK


def standings() -> Sequence[Standing]:
    """Every part; they are asked side by side, so that one that is silent does not hold up the others."""
    checks: dict[str, tuple[Callable[[], str], bool]] = {
        "database": (_database, True), "redis": (_redis, True), "worker": (_worker, True), "models": (models, True),
        "encryption": (encryption.state, True), "trainer": (_trainer, False), "disk": (_disk, False),
    }
    with ThreadPoolExecutor(len(checks)) as pool:
        asked = {name: pool.submit(check) for name, (check, _) in checks.items() if name != "database"}
        found = {"database": _database(), **{name: each.result() for name, each in asked.items()}}
    return [Standing(name, found[name], needed) for name, (_, needed) in checks.items()]


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # each database has its own
        return f"the database does not answer: {error}"
    return OK


def _redis() -> str:
    return OK if embedded_redis.answers(settings.REDIS_URL) else "Redis does not answer"


def _worker() -> str:
    return OK if worker_pulse.beats(settings.REDIS_URL) else "no worker has given a sign of life lately"


def _trainer() -> str:
    lives = worker_pulse.beats(settings.REDIS_URL, name=worker_pulse.TRAINER)
    return OK if lives else "no training worker has given a sign of life lately"


def _disk() -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free
    return OK if free >= LEAST_FREE_BYTES else f"only {free // 1_000_000} MB are free where the data folder is"


def models() -> str:
    """"ok" when a model service answers, else why none does."""
    if not settings.MODELS_SERVICE_URLS:
        return "no model service is configured; `manage.py up` starts one"
    silent = [why for why in replicas().values() if why != OK]
    if len(silent) == len(settings.MODELS_SERVICE_URLS):
        return "the model service does not answer: " + "; ".join(silent)
    return OK


def replicas() -> dict[str, str]:
    """Each model service's address, with OK or why it does not answer."""
    urls = settings.MODELS_SERVICE_URLS
    with ThreadPoolExecutor(max(len(urls), 1)) as pool:
        return dict(zip(urls, pool.map(_replica, urls), strict=True))


def _replica(url: str) -> str:
    try:
        with urlopen(http_address(url, "healthz"), timeout=2):
            return OK
    except OSError as error:
        return f"{url}: {error}"


def http_address(url: str, page: str) -> str:
    """The address of a page of the model service whose socket is at `url`."""
    return "http" + url.removeprefix("ws").rsplit("/", 1)[0] + f"/{page}"
