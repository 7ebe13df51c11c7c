"""POST /api/v1/qa/ask, with the real model service, index and Redis."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from models_service.protocol import AnswerDone
from tests.api.conftest import is_problem
from tests.library import BRIDGE, TOWER, add_collection
from webapp.chat.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/qa/ask"
QUESTION = "How tall is the Eiffel Tower?"


@pytest.fixture
def library(models, redis_url, alice):
    return add_collection(alice, "Towers", tower=TOWER, bridge=BRIDGE)


def ask(client: Client, **body):
    return client.post(URL, body, content_type="application/json")


def test_an_answer_has_every_field_of_the_contract_and_exact_citations(library, alice, program):
    response = ask(program(alice), question=QUESTION)
    assert response.status_code == 200
    body = response.json()
    assert {"answer", "abstained", "confidence", "citations", "verification", "timings"} <= set(body)
    assert "330 metres" in body["answer"] and body["abstained"] is False and 0 < body["confidence"] <= 1
    for citation in body["citations"]:
        assert {"document", "passage", "start", "end", "quote", "score"} <= set(citation)
    cited = body["citations"][0]
    assert cited["quote"] == TOWER[cited["start"]:cited["end"]]
    assert cited["url"].startswith(f"/documents/{cited['document']}/")
    assert body["timings"]["total_ms"] > 0
    assert AnswerDone.model_validate({"type": "done", **body})
    assert Message.objects.count() == 0


def test_a_question_that_the_documents_do_not_answer_is_abstained_from(library, alice, program):
    body = ask(program(alice), question="Which vitamin is made in the skin by sunlight?").json()
    assert body["abstained"] is True and body["answer"] == "" and body["citations"] == []
    assert body["nearest"]


@pytest.mark.parametrize("by", ["id", "name"])
def test_collections_are_chosen_by_id_or_by_name(library, alice, program, by):
    other = add_collection(alice, "Bridges", bridge=BRIDGE)
    wanted = {"id": str(other.pk), "name": "Bridges"}[by]
    body = ask(program(alice), question=QUESTION, collections=[wanted]).json()
    titles = {citation["title"] for citation in body["citations"] + body["nearest"]}
    assert titles == {"The Golden Gate Bridge"}


def test_another_persons_collection_is_not_searched_and_cannot_be_named(library, bob, program):
    assert ask(program(bob), question=QUESTION).json()["nearest"] == []
    for name in (str(library.pk), "Towers", "no such one"):
        assert is_problem(ask(program(bob), question=QUESTION, collections=[name]), 404)["code"] == "not_found"


def test_everyone_on_the_site_may_ask_what_is_for_everyone(models, redis_url, alice, bob, program):
    add_collection(alice, "Shared", "everyone", tower=TOWER)
    assert "330" in ask(program(bob), question=QUESTION).json()["answer"]


def test_a_browsers_session_works_too_and_needs_its_csrf_token(library, alice, browser):
    assert ask(browser(alice), question=QUESTION).status_code == 200
    is_problem(ask(browser(alice, checks_csrf=True), question=QUESTION), 403)


def test_a_guest_asks_with_the_browsers_session_only(library, browser, settings):
    settings.GUESTS_MAY_CHAT = True
    is_problem(ask(Client(), question=QUESTION), 401)
    client = browser()
    session = client.session
    session["visited"] = True
    session.save()
    assert ask(client, question=QUESTION).status_code == 200
    strict = browser(checks_csrf=True)
    strict.cookies = client.cookies
    is_problem(ask(strict, question=QUESTION), 403)


def test_without_guests_a_stranger_may_not_ask(db, settings):
    settings.GUESTS_MAY_CHAT = False
    is_problem(ask(Client(), question=QUESTION), 401)


@pytest.mark.parametrize("body, status, field", [
    ({}, 400, "question"),
    ({"question": ""}, 400, "question"),
    ({"question": " \n"}, 400, "question"),
    ({"question": None}, 400, "question"),
    ({"question": ["a", "b"]}, 400, "question"),
    ({"question": "a" * 100_000}, 413, ""),
    ({"question": "?", "collections": "Towers"}, 400, "collections"),
    ({"question": "?", "collections": ["a"] * 51}, 400, "collections"),
    ({"question": "?", "collections": [{}]}, 400, "collections"),
    ({"question": "?", "stream": "perhaps"}, 400, "stream"),
])
def test_a_request_that_cannot_be_served_says_what_has_to_change(db, alice, program, body, status, field):
    problem = is_problem(ask(program(alice), **body), status)
    if field:
        assert any(name.split(".")[0] == field for name in problem["errors"])


def test_a_body_that_is_no_json_or_no_object_is_refused(db, alice, program):
    client = program(alice)
    is_problem(client.post(URL, "{", content_type="application/json"), 400)
    is_problem(client.post(URL, "[1]", content_type="application/json"), 400)
    is_problem(client.post(URL, "question=a", content_type="application/x-www-form-urlencoded"), 415)
    is_problem(client.get(URL), 405)


def test_a_service_that_stays_away_is_a_problem_that_can_be_retried(library, alice, program, settings, monkeypatch):
    from webapp.chat import answering

    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.2)
    answering.model_service.cache_clear()
    problem = is_problem(ask(program(alice), question=QUESTION), 503)
    assert (problem["code"], problem["retryable"]) == ("unavailable", True)


class Stream:
    """A program that reads the answer event by event from the real ASGI application."""

    def __init__(self, key: str, **body: Any) -> None:
        from webapp.asgi import application

        self._body = json.dumps(body).encode()
        headers = {"host": "localhost", "authorization": f"Bearer {key}", "content-type": "application/json",
                   "accept": "text/event-stream", "content-length": str(len(self._body))}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": URL,
            "raw_path": URL.encode(), "query_string": b"", "root_path": "", "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }
        self._application = ApplicationCommunicator(application, scope)

    async def send(self) -> None:
        await self._application.send_input({"type": "http.request", "body": self._body})

    async def ask(self) -> dict[str, str]:
        """The response's headers."""
        await self.send()
        start = await self._application.receive_output(20)
        self.status = start["status"]
        return {name.decode().lower(): value.decode() for name, value in start["headers"]}

    async def hear(self) -> dict | None:
        message = await self._application.receive_output(20)
        if not message.get("body"):
            return None
        kind, data = message["body"].decode().rstrip("\n").split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {event['type']}"
        return event

    async def leave(self) -> None:
        await self._application.send_input({"type": "http.disconnect"})
        await self._application.wait(20)


@pytest.fixture
def key(alice) -> str:
    from webapp.accounts.services import create_api_key

    return create_api_key(alice, "test")[1]


async def test_a_streamed_answer_comes_event_by_event(library, models, key):
    stream = Stream(key, question=QUESTION, stream=True)
    headers = await stream.ask()
    assert stream.status == 200 and headers["content-type"] == "text/event-stream"
    heard = [await stream.hear()]
    while heard[-1]["type"] not in ("done", "error"):
        heard.append(await stream.hear())
    assert [event["type"] for event in heard] == ["sources", *["delta"] * (len(heard) - 2), "done"]
    assert heard[-1]["answer"] == "".join(event["text"] for event in heard[1:-1])
    assert await stream.hear() is None


async def test_leaving_a_streamed_answer_stops_the_work_on_the_model_service(library, models, key):
    from webapp.chat import answering

    stream = Stream(key, question=QUESTION, stream=True)
    await answering.model_service().embed(["connected before it is frozen"])
    with models.frozen():
        await stream.ask()
        assert stream.status == 200
        links = answering.model_service()._pool()._links
        async with asyncio.timeout(20):
            while not any(link.load for link in links.values()):
                await asyncio.sleep(0.01)
        await stream.leave()
        assert [link.load for link in links.values()] == [0]


async def test_leaving_before_a_whole_answer_stops_the_work_on_the_model_service_too(library, models, key):
    from webapp.chat import answering

    whole = Stream(key, question=QUESTION)
    await answering.model_service().embed(["connected before it is frozen"])
    with models.frozen():
        await whole.send()
        links = answering.model_service()._pool()._links
        async with asyncio.timeout(20):
            while not any(link.load for link in links.values()):
                await asyncio.sleep(0.01)
        await whole.leave()
        assert [link.load for link in links.values()] == [0]


async def test_a_stream_that_cannot_begin_is_a_problem_in_json(library, key):
    stream = Stream(key, question="", stream=True)
    headers = await stream.ask()
    assert (stream.status, headers["content-type"]) == (400, "application/problem+json")
