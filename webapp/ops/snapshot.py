"""How the site stands now and did in the last hour, put together from its parts; whichever is down is left out."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Sum
from redis import Redis
from redis.exceptions import RedisError

from models_service.recent import percentile
from qa import index_figures
from webapp import access
from webapp.accounts.models import User
from webapp.ops import answer_times, health, processes, queues, recent_errors, request_times, services
from webapp.ops.answer_times import AnswerTimes
from webapp.ops.quick_redis import quick_redis
from webapp.ops.snapshot_parts import (
    AnswersTold,
    ErrorTold,
    PartTold,
    ProcessTold,
    QueueTold,
    RequestsTold,
    RouteTold,
    SlowQuestion,
    Snapshot,
    Spread,
    StorageTold,
)

log = logging.getLogger(__name__)

KEPT_SECONDS = 2.0
"""However many pages look, the parts are asked no more often than this."""
MOST_ROUTES = 15
MOST_SLOW = 10
MINUTES = 60
OUTCOMES = ("answered", "abstained", "error", "stopped")

T = TypeVar("T")
_lock = threading.Lock()
_kept: tuple[float, Snapshot, list[AnswerTimes]] | None = None


def taken(user: User) -> Snapshot:
    """As `user` may see it: of the slowest questions the text of those that `access` lets them read."""
    snapshot, slow = _of_everybody()
    if snapshot.slowest is None:
        return snapshot
    texts = _left_out_when_down(lambda: _texts(user, slow)) or {}
    shown = [one.model_copy(update={"question": texts.get(times.answer)})
             for one, times in zip(snapshot.slowest, slow, strict=True)]
    return snapshot.model_copy(update={"slowest": shown})


def _texts(user: User, slow: Sequence[AnswerTimes]) -> dict[int | None, str]:
    answers = access.answers_shown_to(user).filter(pk__in=[one.answer for one in slow if one.answer is not None])
    return dict(answers.values_list("pk", "parent__text"))


def _of_everybody() -> tuple[Snapshot, list[AnswerTimes]]:
    global _kept
    with _lock:
        if _kept is None or time.monotonic() - _kept[0] > KEPT_SECONDS:
            snapshot, slow = _take()
            _kept = time.monotonic(), snapshot, slow
        return _kept[1], _kept[2]


def forget() -> None:
    """Ask all parts anew the next time."""
    global _kept
    _kept = None


def _take() -> tuple[Snapshot, list[AnswerTimes]]:
    models, faults = services.told()
    standings = health.standings()
    with quick_redis(settings.REDIS_URL) as redis:
        answers = _of_redis(answer_times.last_hour, redis)
        found = {
            "queues": _of_redis(queues.depths, redis), "requests": _of_redis(request_times.by_route, redis),
            "processes": _of_redis(processes.living, redis),
        }
        stored = _of_redis(recent_errors.newest_first, redis)
    faults += stored if stored is not None else recent_errors.newest_first(None)
    slow = sorted(answers or [], key=lambda one: -one.total_ms)[:MOST_SLOW]
    faults.sort(key=lambda fault: -fault.at)
    snapshot = Snapshot(
        at=time.time(),
        parts=[PartTold(name=part.name, ok=part.ok, needed=part.needed, why=part.why) for part in standings],
        queues=None if found["queues"] is None else [
            QueueTold(name=name, waiting=waiting) for name, waiting in found["queues"].items()],
        answers=None if answers is None else _answers(answers),
        slowest=None if answers is None else [_slow(one) for one in slow],
        requests=None if found["requests"] is None else _requests(found["requests"]),
        services=models,
        processes=None if found["processes"] is None else [_process(one) for one in found["processes"]],
        storage=_left_out_when_down(_storage),
        errors=[ErrorTold(at=one.at, level=one.level, part=one.part, where=one.where, request_id=one.request_id,
                          message=one.message, count=one.count) for one in faults[: recent_errors.MOST_SHOWN]],
    )
    return snapshot, slow


def _of_redis(ask: Callable[[Redis], T], redis: Redis) -> T | None:
    return _left_out_when_down(lambda: ask(redis))


def _left_out_when_down(ask: Callable[[], T]) -> T | None:
    """None when that part is down; which is told where the parts are."""
    try:
        return ask()
    except (DatabaseError, RedisError, OSError) as error:
        log.debug("a figure is left out (%s)", error)
        return None


def _answers(answers: Sequence[AnswerTimes]) -> AnswersTold:
    outcomes = Counter(one.outcome for one in answers)
    good = [one for one in answers if one.outcome in ("answered", "abstained")]
    since = min((one.at for one in answers), default=time.time())
    minutes = max((time.time() - since) / 60, 1) if len(answers) >= answer_times.MOST_KEPT else MINUTES
    stages = dict.fromkeys(name for one in good for name in one.stages)
    return AnswersTold(
        outcomes={name: outcomes[name] for name in OUTCOMES}, count=len(answers),
        per_minute=round(len(answers) / minutes, 2), total=_spread([one.total_ms for one in good]),
        first_event=_spread([one.first_ms for one in answers if one.first_ms is not None]),
        queue=_spread([one.queue_ms for one in good]),
        stages={name: _spread([one.stages[name] for one in good if name in one.stages]) for name in stages},
    )


def _spread(values: Sequence[float]) -> Spread:
    ordered = sorted(values)
    return Spread(p50_ms=percentile(ordered, 0.5), p95_ms=percentile(ordered, 0.95))


def _slow(one: AnswerTimes) -> SlowQuestion:
    return SlowQuestion(at=one.at, outcome=one.outcome, total_ms=one.total_ms, first_ms=one.first_ms,
                        queue_ms=one.queue_ms, stages=one.stages, request_id=one.request_id, question=None)


def _requests(routes: Sequence[request_times.RouteTimes]) -> RequestsTold:
    count, failed = request_times.overall(routes)
    told = [RouteTold(route=one.route, count=one.count, failed=one.failed, p50_ms=one.p50_ms, p95_ms=one.p95_ms)
            for one in routes[:MOST_ROUTES]]
    return RequestsTold(count=count, failed=failed, per_minute=round(count / MINUTES, 2), routes=told)


def _process(one: processes.Process) -> ProcessTold:
    return ProcessTold(
        part=one.part, name=one.name, memory_bytes=one.memory_bytes, started_at=one.started_at, sockets=one.sockets,
        task=one.task, tasks_done=sum(count.done for count in one.tasks.values()),
        tasks_failed=sum(count.failed for count in one.tasks.values()),
    )


def _storage() -> StorageTold:
    from webapp.knowledge import mending
    from webapp.knowledge.models import Document, DocumentStatus
    from webapp.training.models import Job

    disk = shutil.disk_usage(settings.DATA_DIR)
    index = index_figures.on_disk(settings.DATA_DIR / "indexes")
    documents = Document.objects.order_by().values("status").annotate(n=Count("pk"))
    jobs = Job.objects.order_by().values("status").annotate(n=Count("pk"))
    ready = Document.objects.filter(status=DocumentStatus.READY)
    return StorageTold(
        disk_free_bytes=disk.free, disk_bytes=disk.total, index_collections=index.indexes,
        index_without_vectors=len(mending.lacking()), index_segments=index.segments, index_bytes=index.bytes,
        index_published_at=index.published_at,
        documents={row["status"]: row["n"] for row in documents},
        passages=ready.aggregate(n=Sum("passages_total"))["n"] or 0,
        jobs={row["status"]: row["n"] for row in jobs},
    )
