"""What this process did in the last hour, kept in memory in bounded numbers: times of requests, and its errors."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models_service.json_log import request_of

LASTS_SECONDS = 3600.0
MOST_REQUESTS = 5_000
MOST_ERRORS = 50
LONGEST_MESSAGE = 500


def percentile(sorted_values: Sequence[float], share: float) -> float | None:
    """The value that `share` (0 to 1) of them do not exceed, by the nearest rank; None of nothing."""
    if not sorted_values:
        return None
    return sorted_values[min(int(share * len(sorted_values)), len(sorted_values) - 1)]


@dataclass(frozen=True)
class _Request:
    at: float
    type: str
    failed: bool
    total_ms: float
    queue_ms: float | None


class RecentRequests:
    """The newest MOST_REQUESTS."""

    def __init__(self) -> None:
        self._kept: deque[_Request] = deque(maxlen=MOST_REQUESTS)

    def add(self, kind: str, outcome: str, seconds: float, queue_ms: float | None) -> None:
        failed = outcome not in ("done", "cancelled")
        self._kept.append(_Request(time.monotonic(), kind, failed, 1000 * seconds, queue_ms))

    def by_type(self) -> dict[str, dict[str, Any]]:
        """For each type of request of the last hour: count, failed, and milliseconds at p50 and p95."""
        since = time.monotonic() - LASTS_SECONDS
        found: dict[str, list[_Request]] = {}
        for request in self._kept:
            if request.at >= since:
                found.setdefault(request.type, []).append(request)
        return {kind: _told(requests) for kind, requests in sorted(found.items())}


def _told(requests: Sequence[_Request]) -> dict[str, Any]:
    answered = [request for request in requests if not request.failed]
    total = sorted(request.total_ms for request in answered)
    queue = sorted(request.queue_ms for request in answered if request.queue_ms is not None)
    figures = {"p50_ms": percentile(total, 0.5), "p95_ms": percentile(total, 0.95),
               "queue_p50_ms": percentile(queue, 0.5), "queue_p95_ms": percentile(queue, 0.95)}
    return {"count": len(requests), "failed": len(requests) - len(answered),
            **{name: None if value is None else round(value, 1) for name, value in figures.items()}}


@dataclass(frozen=True)
class LoggedError:
    """`at` in seconds since 1970; `where` is the logger and the line of its file."""

    at: float
    level: str
    request_id: str
    message: str
    where: str


def told_error(record: logging.LogRecord) -> LoggedError:
    """The log's line without its traceback, with the error's type and sentence where it has one."""
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        message += f": {type(error).__name__}: {error}"
    return LoggedError(record.created, record.levelname, request_of(record), message[:LONGEST_MESSAGE],
                       f"{record.name}:{record.lineno}")


class RecentErrors(logging.Handler):
    """The newest MOST_ERRORS, for whoever looks after the site."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: deque[LoggedError] = deque(maxlen=MOST_ERRORS)

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(told_error(record))

    def newest_first(self) -> list[dict[str, Any]]:
        return [asdict(error) for error in reversed(self._kept)]


requests = RecentRequests()
errors = RecentErrors()
