"""What Celery's tasks carry and count: the id of the request that asked for them, their time, how they ended."""

from __future__ import annotations

import time
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun, worker_ready, worker_shutting_down

from models_service import trace
from webapp.ops import processes
from webapp.ops.reporter import Reporter
from webapp.settings.queues import TRAINING_QUEUE

HEADER = "wenda_request_id"
_begun: dict[str, tuple[float, Any]] = {}
_reporters: list[Reporter] = []


@before_task_publish.connect
def _send_request_id(headers: dict[str, Any] | None = None, **_: object) -> None:
    if headers is not None and trace.current.get() != trace.NONE:
        headers[HEADER] = trace.current.get()


@task_prerun.connect
def _begin(task_id: str, task: Any, **_: object) -> None:
    given = (task.request.headers or {}).get(HEADER) or task.request.get(HEADER) or ""
    token = trace.current.set(given if trace.acceptable(given) else trace.NONE)
    _begun[task_id] = time.monotonic(), token
    processes.own.began(task.name)


@task_postrun.connect
def _end(task_id: str, task: Any, state: str | None = None, **_: object) -> None:
    began, token = _begun.pop(task_id, (None, None))
    if began is None:
        return
    trace.current.reset(token)
    processes.own.ended(task.name, failed=state != "SUCCESS", seconds=time.monotonic() - began)


@worker_ready.connect
def _report(sender: Any, **_: object) -> None:
    part = "trainer" if TRAINING_QUEUE in sender.app.amqp.queues.consume_from else "worker"
    _reporters.append(Reporter(part))
    _reporters[-1].start()


@worker_shutting_down.connect
def _leave(**_: object) -> None:
    for reporter in _reporters:
        reporter.stop()
