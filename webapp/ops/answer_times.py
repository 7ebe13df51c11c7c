"""How the last answers came about: outcome and times, for monitors and for the Ops page. Never a question's text.

The newest MOST_KEPT stand in a list in Redis. A question of the chat is known by its answer's row, so that whoever
may see its text finds it there; one that was asked over REST leaves no text anywhere.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any

from prometheus_client import Counter, Histogram
from redis import Redis

from models_service import trace
from models_service.protocol import AnswerDone, AnswerError

log = logging.getLogger(__name__)

KEY = "wenda:ops:answers"
LASTS_SECONDS = 3600
MOST_KEPT = 2_000
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
STAGES = {"retrieve_ms": "retrieval", "rerank_ms": "reranking", "read_ms": "reading", "write_ms": "writing",
          "work_out_ms": "working out", "check_ms": "checking", "respell_ms": "respelling"}
"""Of an answer's own timings: what each is called to a monitor."""

ANSWERS = Counter("wenda_answers_total", "questions by how they ended: answered, abstained, error, stopped",
                  ["outcome"])
ANSWER_SECONDS = Histogram("wenda_answer_seconds", "from a question to the end of its answer", ["outcome"],
                           buckets=SECONDS)
FIRST_EVENT_SECONDS = Histogram("wenda_answer_first_event_seconds", "from a question to the first thing shown of it",
                                buckets=SECONDS)
STAGE_SECONDS = Histogram("wenda_answer_stage_seconds", "what an answer's time went to; queue is within the others",
                          ["stage"], buckets=SECONDS)


@dataclass(frozen=True)
class AnswerTimes:
    """`at`, in seconds since 1970, is when it ended; `answer` is its row in the chat, None for other questions.

    `stages` are milliseconds by STAGES' names; what they leave of `total_ms` went to finding documents and the like.
    `queue_ms` is how long the model service let its requests wait, within these.
    """

    at: float
    outcome: str
    total_ms: float
    first_ms: float | None
    queue_ms: float
    stages: dict[str, float]
    request_id: str
    answer: int | None


_lock = threading.Lock()
_gathered: deque[AnswerTimes] = deque(maxlen=MOST_KEPT)


async def measured(events: AsyncIterator[Any], answer: int | None = None) -> AsyncIterator[Any]:
    """The same events; how they came about is noted when they end, or are closed."""
    began = time.perf_counter()
    first: float | None = None
    last: Any = None
    waited = trace.Waited()
    trace.waited.set(waited)
    outcome = "error"  # also when something is raised
    try:
        async with aclosing(events):
            async for event in events:
                first = first if first is not None else time.perf_counter() - began
                last = event
                yield event
        outcome = _outcome(last)
    except (GeneratorExit, asyncio.CancelledError):
        outcome = _outcome(last) if isinstance(last, AnswerDone | AnswerError) else "stopped"
        raise
    finally:
        # Whoever asks may stop at the last event, and is asked no more then whether there is another.
        _note(outcome, time.perf_counter() - began, first, waited, last, answer)


def _outcome(last: Any) -> str:
    if isinstance(last, AnswerDone):
        return "abstained" if last.abstained else "answered"
    return "stopped" if isinstance(last, AnswerError) and last.code == "cancelled" else "error"


def _note(
    outcome: str, seconds: float, first: float | None, waited: trace.Waited, last: Any, answer: int | None
) -> None:
    timings = last.timings if isinstance(last, AnswerDone) else {}
    stages = {called: timings[name] for name, called in STAGES.items() if name in timings}
    ANSWERS.labels(outcome).inc()
    ANSWER_SECONDS.labels(outcome).observe(seconds)
    if first is not None:
        FIRST_EVENT_SECONDS.observe(first)
    for stage, ms in {**stages, "queue": waited.queue_ms}.items():
        STAGE_SECONDS.labels(stage).observe(ms / 1000)
    times = AnswerTimes(
        at=time.time(), outcome=outcome, total_ms=round(1000 * seconds, 1),
        first_ms=None if first is None else round(1000 * first, 1), queue_ms=round(waited.queue_ms, 1), stages=stages,
        request_id=trace.current.get(), answer=answer,
    )
    log.info("a question: %s after %.0f ms", outcome, times.total_ms, extra={"fields": {
        "outcome": outcome, "total_ms": times.total_ms, "first_ms": times.first_ms, "queue_ms": times.queue_ms,
        "answer": answer,
    }})
    with _lock:
        _gathered.append(times)


def flush(redis: Redis) -> None:
    """Write what was gathered; raises RedisError or OSError, and then keeps it for the next time."""
    with _lock:
        taken = list(_gathered)
        _gathered.clear()
    if not taken:
        return
    try:
        with redis.pipeline() as together:
            together.lpush(KEY, *(json.dumps(asdict(one)) for one in taken))
            together.ltrim(KEY, 0, MOST_KEPT - 1)
            together.expire(KEY, 2 * LASTS_SECONDS)
            together.execute()
    except BaseException:
        with _lock:
            _gathered.extendleft(reversed(taken))
        raise


def last_hour(redis: Redis) -> list[AnswerTimes]:
    """The newest first."""
    kept = [AnswerTimes(**json.loads(row)) for row in redis.lrange(KEY, 0, -1)]
    return [one for one in kept if one.at >= time.time() - LASTS_SECONDS]
