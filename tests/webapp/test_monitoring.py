"""What a monitor is told: each part and why, figures of requests, answers, queues, workers, indexes and jobs."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from models_service import trace
from models_service.protocol import AnswerDone, AnswerError, DeltaEvent
from webapp.ops import answer_times, processes, recent_errors, reporter, request_times, snapshot, worker_pulse


@pytest.fixture(autouse=True)
def nothing_gathered(monkeypatch) -> None:
    """What other tests of this process have left; and a slow machine makes no process look dead."""
    monkeypatch.setattr(processes, "LASTS_SECONDS", 600)
    snapshot.forget()
    for kept in (answer_times._gathered, request_times._gathered, recent_errors._gathered):
        kept.clear()


def figures() -> dict[str, float]:
    """What /metrics tells, by name with labels."""
    response = Client().get("/metrics")
    assert response.status_code == 200
    rows = [line.rsplit(" ", 1) for line in response.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in rows}


def done(abstained: bool = False) -> AnswerDone:
    return AnswerDone(answer="42", abstained=abstained, confidence=0.9, citations=[],
                      timings={"retrieve_ms": 12.0, "read_ms": 30.0, "total_ms": 44.0})


async def ask(*events: Any, answer: int | None = None, take: int | None = None) -> None:
    async def given():
        for event in events:
            yield event

    watched = answer_times.measured(given(), answer)
    taken = 0
    async for _event in watched:
        taken += 1
        if taken == take:
            break
    await watched.aclose()


@pytest.fixture
def standing_service() -> Iterator[str]:
    """The socket's address of something that answers as a model service does when it is asked how it is."""
    account = {
        "ready": True, "memory_bytes": 700, "started_at": 1.0, "cards": [],
        "models": [{"name": "wenda-reader", "state": "ready", "version": "starter", "waiting": 3, "writing": 0}],
        "requests": {"read": {"count": 9, "failed": 1, "p50_ms": 20.0, "p95_ms": 80.0, "queue_p50_ms": 1.0,
                              "queue_p95_ms": 5.0}},
        "errors": [{"at": time.time() + 1, "level": "ERROR", "request_id": "request-9", "where": "models_service:1",
                    "message": "wenda-reader failed at a batch of 3"}],
    }

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(account).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.server_port}/ws"
        server.shutdown()


@pytest.mark.django_db
def test_readiness_says_of_each_part_why_and_fails_only_for_those_that_answers_need(
    redis_url, settings, standing_service
) -> None:
    settings.MODELS_SERVICE_URLS = [standing_service]
    with Redis.from_url(redis_url) as redis:
        worker_pulse.beat(redis)
    response = Client().get("/readyz")
    parts = response.json()["parts"]
    assert response.status_code == 200 and parts["trainer"] == "no training worker has given a sign of life lately"
    assert {parts[name] for name in ("database", "redis", "worker", "models", "disk")} == {"ok"}
    settings.MODELS_SERVICE_URLS = [standing_service, "ws://127.0.0.1:9/ws"]
    assert Client().get("/readyz").status_code == 200, "one of two replicas is enough"
    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    response = Client().get("/readyz")
    assert response.status_code == 503 and "refused" in response.json()["parts"]["models"]
    assert Client().get("/healthz").status_code == 200


def test_each_of_several_workers_is_known_by_its_process(redis_url, monkeypatch) -> None:
    with Redis.from_url(redis_url) as redis:
        for pid in (11, 12):
            monkeypatch.setattr("os.getpid", lambda pid=pid: pid)
            worker_pulse.beat(redis)
        assert all(worker_pulse.beats(redis_url, pid) for pid in (None, 11, 12))
        assert not worker_pulse.beats(redis_url, 13) and not worker_pulse.beats(redis_url, name=worker_pulse.TRAINER)
        redis.zadd(worker_pulse._key(worker_pulse.WORKER), {worker_pulse._member(12): time.time() - 1})
    assert worker_pulse.beats(redis_url, 11) and not worker_pulse.beats(redis_url, 12)


@pytest.mark.django_db
def test_requests_are_counted_by_their_routes_name_and_never_by_address(client) -> None:
    before = figures()
    for number in range(3):
        client.get(f"/documents/00000000-0000-0000-0000-00000000000{number}/")
        client.get(f"/nothing/here-{number}/")
    after = figures()
    name = 'wenda_http_request_seconds_count{route="document"}'
    assert after[name] - before.get(name, 0) == 3
    assert after['wenda_http_requests_total{method="GET",route="unknown",status="404"}'] >= 3
    assert not [each for each in after if "here-" in each or "00000000-" in each]


async def test_answers_are_counted_by_how_they_end_with_the_time_to_their_first_event() -> None:
    delta, error = DeltaEvent(text="4"), AnswerError(code="unavailable", message="no")
    before = await asyncio.to_thread(_outcomes)
    await ask(delta, done())
    await ask(delta, done(), take=2)  # whoever asks may go when it has the last event
    await ask(done(abstained=True))
    await ask(error)
    await ask(delta, done(), take=1)
    after = await asyncio.to_thread(_outcomes)
    assert {name: after[name] - before.get(name, 0) for name in after} == {
        "answered": 2, "abstained": 1, "error": 1, "stopped": 1}


def _outcomes() -> dict[str, float]:
    [counted] = answer_times.ANSWERS.collect()
    return {sample.labels["outcome"]: sample.value for sample in counted.samples if sample.name.endswith("_total")}


@pytest.mark.django_db
def test_queues_workers_indexes_jobs_and_disk_are_there_for_a_monitor(redis_url, settings, admin) -> None:
    from qa.index import CollectionIndex
    from webapp.training.models import Job

    Job.objects.create(task="qa", kind="train", queued_at=timezone.now() - timezone.timedelta(seconds=90))
    CollectionIndex.create(settings.DATA_DIR / "indexes" / "one")
    (settings.DATA_DIR / "indexes" / "one" / "segments" / "a.faiss").write_bytes(b"1234")
    own = processes.Own()
    own.ended("webapp.knowledge.tasks.ingest", failed=False, seconds=1.5)
    own.ended("webapp.knowledge.tasks.ingest", failed=True, seconds=0.5)
    with Redis.from_url(redis_url) as redis:
        redis.rpush("celery", "one", "two")
        redis.hset(processes.KEY, "elsewhere:7", json.dumps(_row(own.told("worker"), "elsewhere", 7)))
        redis.hset(processes.KEY, "gone:8", json.dumps(_row(own.told("worker"), "gone", 8, at=time.time() - 1000)))
    found = figures()
    assert found['wenda_queue_messages{queue="celery"}'] == 2
    assert found['wenda_jobs{status="queued"}'] == 1 and 89 < found["wenda_jobs_oldest_waiting_seconds"] < 200
    assert found["wenda_index_collections"] == found["wenda_index_segments"] == 1
    assert found["wenda_index_bytes"] > 4 and time.time() - found["wenda_index_published_timestamp_seconds"] < 60
    task = 'task="webapp.knowledge.tasks.ingest",worker="elsewhere:7"'
    labels = 'outcome="{}",' + task
    assert found[f"wenda_worker_tasks_total{{{labels.format('done')}}}"] == 1
    assert found[f"wenda_worker_tasks_total{{{labels.format('failed')}}}"] == 1
    assert found[f"wenda_worker_task_seconds_total{{{task}}}"] == 2
    assert found['wenda_process_memory_bytes{part="worker",process="elsewhere:7"}'] > 1_000_000
    assert not [name for name in found if "gone:8" in name]
    assert 0 < found["wenda_disk_free_bytes"] <= found["wenda_disk_bytes"]
    assert found['wenda_part_up{part="redis"}'] == 1 and found['wenda_part_up{part="models"}'] == 0


def _row(process: processes.Process, host: str, pid: int, at: float | None = None) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(process), "host": host, "pid": pid, "at": at or process.at}


@pytest.mark.django_db
def test_without_redis_a_monitor_is_told_the_rest() -> None:
    found = figures()
    assert found['wenda_part_up{part="redis"}'] == 0 and "wenda_disk_free_bytes" in found
    assert not [name for name in found if name.startswith("wenda_queue_messages")]


def test_what_repeats_itself_is_one_error_with_its_newest_message_and_without_secrets(
    redis_url, monkeypatch
) -> None:
    monkeypatch.setattr(recent_errors, "_part", "command")
    log = logging.getLogger("webapp.somewhere")
    token = trace.current.set("request-1")
    try:
        for number in range(4):
            log.error("no answer from postgresql://wenda:hush@host/%s", number)
        log.info("all is well")
        with Redis.from_url(redis_url) as redis:
            recent_errors.flush(redis)
            trace.current.set(trace.NONE)
            log.handle(log.makeRecord(log.name, logging.WARNING, __file__, 1, "another place", (), None))
            found = recent_errors.newest_first(redis)
    finally:
        trace.current.reset(token)
    assert [(fault.count, fault.request_id) for fault in found] == [(1, "-"), (4, "request-1")]
    assert found[1].message == "no answer from postgresql://wenda:***@host/3" and found[1].part == "command"


def test_what_redis_does_not_take_is_kept_for_the_next_time(redis_url) -> None:
    request_times.saw("chat", 0.2, 200)
    request_times.saw("chat", 3.0, 500)
    logging.getLogger("webapp.somewhere").error("lost?")
    asyncio.run(ask(done()))
    with Redis.from_url("unix:///nowhere.sock") as away, pytest.raises(RedisError):
        reporter.report(away, "web")
    with Redis.from_url(redis_url) as redis:
        for _ in range(2):  # and it is written once
            reporter.report(redis, "web")
        [route] = request_times.by_route(redis)
        assert (route.route, route.count, route.failed) == ("chat", 2, 1)
        assert 100 <= route.p50_ms <= 250 and 2500 <= route.p95_ms <= 5000
        assert len(answer_times.last_hour(redis)) == 1 and len(recent_errors.newest_first(redis)) == 1
        [own] = processes.living(redis)
        assert own.part == "web" and own.name.startswith(socket.gethostname())


def test_only_so_much_is_kept(redis_url, monkeypatch) -> None:
    monkeypatch.setattr(answer_times, "MOST_KEPT", 5)
    monkeypatch.setattr(recent_errors, "MOST_PLACES", 3)
    with Redis.from_url(redis_url) as redis:
        for _ in range(4):
            for _ in range(3):
                asyncio.run(ask(done()))
            answer_times.flush(redis)
        assert redis.llen(answer_times.KEY) == 5
        for line in range(9):
            log = logging.getLogger("webapp")
            log.handle(log.makeRecord(log.name, logging.ERROR, __file__, line, "place", (), None))
            recent_errors.flush(redis)
        assert redis.hlen(recent_errors.KEY) == 3
        assert all(0 < redis.ttl(key) <= 24 * 3600 for key in (answer_times.KEY, recent_errors.KEY))
