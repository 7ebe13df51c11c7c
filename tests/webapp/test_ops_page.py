"""The Ops page and its REST twin: what an administrator sees of the site, with parts down, and of whose questions."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from redis import Redis

from tests.webapp.test_monitoring import nothing_gathered, standing_service  # noqa: F401, fixtures
from webapp.ops import answer_times, recent_errors, reporter, request_times, snapshot
from webapp.ops.answer_times import AnswerTimes

pytestmark = pytest.mark.django_db


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(user: Any) -> dict[str, Any]:
    snapshot.forget()
    response = browser(user).get("/api/v1/ops/")
    assert response.status_code == 200, response.content
    return response.json()


def answered(answer: int | None = None, total_ms: float = 900.0, outcome: str = "answered") -> AnswerTimes:
    return AnswerTimes(at=time.time(), outcome=outcome, total_ms=total_ms, first_ms=50.0, queue_ms=7.0,
                       stages={"retrieval": 80.0, "reading": 700.0}, request_id="key-of-the-page", answer=answer)


def asked(owner: Any, text: str) -> Any:
    """The row of an answer in a conversation of `owner`'s."""
    from webapp.chat.models import Conversation, Message, MessageRole

    conversation = Conversation.objects.create(owner=owner)
    question = Message.objects.create(conversation=conversation, role=MessageRole.QUESTION, key="question", text=text)
    return Message.objects.create(conversation=conversation, role=MessageRole.ANSWER, key="answered", parent=question)


def test_everything_is_told_with_all_parts_there(redis_url, settings, admin, standing_service) -> None:  # noqa: F811
    settings.MODELS_SERVICE_URLS = [standing_service]
    for total_ms in (100.0, 200.0, 3000.0):
        answer_times._gathered.append(answered(total_ms=total_ms))
    answer_times._gathered.append(answered(outcome="error", total_ms=9.0))
    request_times.saw("chat", 0.02, 200)
    with Redis.from_url(redis_url) as redis:
        redis.rpush("training", "a", "b", "c")
        reporter.report(redis, "web")
    now = told(admin)
    assert {part["name"]: part["ok"] for part in now["parts"]} == {
        "database": True, "redis": True, "worker": False, "models": True, "encryption": True, "trainer": False,
        "disk": True}
    assert now["answers"]["outcomes"] == {"answered": 3, "abstained": 0, "error": 1, "stopped": 0}
    assert now["answers"]["total"] == {"p50_ms": 200.0, "p95_ms": 3000.0}
    assert now["answers"]["stages"]["reading"]["p50_ms"] == 700 and now["answers"]["queue"]["p50_ms"] == 7
    assert {"name": "training", "waiting": 3} in now["queues"]
    assert [one["part"] for one in now["processes"]] == ["web"] and now["processes"][0]["memory_bytes"] > 1_000_000
    [service] = now["services"]
    assert service["ok"] and service["models"][0]["waiting"] == 3 and service["requests"][0]["queue"]["p95_ms"] == 5
    assert now["errors"][0] | {"at": 0} == {
        "at": 0, "level": "ERROR", "part": "models", "where": "models_service:1", "request_id": "request-9",
        "message": "wenda-reader failed at a batch of 3", "count": 1}
    assert [one["total_ms"] for one in now["slowest"]] == [3000, 200, 100, 9]
    page = browser(admin).get("/dashboard/ops/").content.decode()
    for shown in ("3.00 s", "wenda-reader failed at a batch of 3", "request-9", "key-of-the-page"[:13], "Worker"):
        assert shown in page, shown


def test_with_redis_and_the_model_service_away_the_page_says_so_and_shows_the_rest(settings, admin) -> None:
    import logging

    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    logging.getLogger("webapp.somewhere").error("of this process")
    now = told(admin)
    assert [now[name] for name in ("queues", "answers", "slowest", "requests", "processes")] == [None] * 5
    assert not now["services"][0]["ok"] and "refused" in now["services"][0]["why"]
    assert now["storage"]["disk_free_bytes"] > 0 and "of this process" in [one["message"] for one in now["errors"]]
    response = browser(admin).get("/dashboard/ops/")
    assert response.status_code == 200 and b"Redis does not answer" in response.content


def test_a_question_is_shown_only_to_whom_it_belongs_or_when_it_was_judged_bad(redis_url, admin, alice, bob) -> None:
    from webapp.chat.models import Feedback

    secret, judged, own = asked(alice, "What is Bob paid?"), asked(bob, "Who is the CEO?"), asked(admin, "And I?")
    Feedback.objects.create(message=judged, user=bob, helpful=False)
    with Redis.from_url(redis_url) as redis:
        for number, answer in enumerate((secret.pk, judged.pk, own.pk, None, 987654)):
            answer_times._gathered.append(answered(answer, total_ms=1000.0 - number))
        answer_times.flush(redis)
        kept = b"".join(redis.lrange(answer_times.KEY, 0, -1)).decode()
    assert "Bob" not in kept and "CEO" not in kept
    assert [one["question"] for one in told(admin)["slowest"]] == [None, "Who is the CEO?", "And I?", None, None]
    page = browser(admin).get("/dashboard/ops/figures/").json()["html"]
    assert "Who is the CEO?" in page and "paid" not in page


def test_the_parts_are_not_asked_anew_for_each_page_that_looks(redis_url, admin, monkeypatch) -> None:
    count = []
    monkeypatch.setattr(snapshot, "KEPT_SECONDS", 600)  # however slow this machine is
    monkeypatch.setattr(snapshot, "_take", lambda take=snapshot._take: count.append(1) or take())
    for _ in range(3):
        assert browser(admin).get("/dashboard/ops/figures/").status_code == 200
    assert len(count) == 1


def test_only_administrators_see_it(redis_url, alice, program) -> None:
    assert browser(alice).get("/dashboard/ops/").status_code == 403
    assert browser(alice).get("/dashboard/ops/figures/").status_code == 403
    assert program(alice).get("/api/v1/ops/").status_code == 403


def test_an_error_of_a_view_is_listed_under_its_route_and_what_people_do_wrong_is_not(client, monkeypatch) -> None:
    client.raise_request_exception = False
    client.get("/nothing/here/")
    monkeypatch.setattr("webapp.ops.views.generate_latest", lambda _: 1 / 0)
    response = client.get("/metrics", headers={"X-Request-Id": "from-the-proxy"})
    assert response.status_code == 500
    [fault] = recent_errors.newest_first(None)
    assert (fault.where, fault.request_id) == ("metrics", "from-the-proxy") and "ZeroDivisionError" in fault.message
