"""Every error under /api/ has one shape."""

from __future__ import annotations

import asyncio

import pytest
from django.test import Client

from tests.api.conftest import is_problem

pytestmark = pytest.mark.django_db


def test_an_address_that_there_is_not_is_a_problem():
    for path in ("/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/qa/ask", "/api/v1/conversations/not-an-id/"):
        is_problem(Client().get(path), 404)


def test_a_method_that_an_address_does_not_take_is_a_problem(alice, program):
    is_problem(program(alice).post("/api/v1/conversations/", {}, content_type="application/json"), 405)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "nonsense"])
def test_a_key_that_is_not_known_is_a_problem_that_names_the_scheme(header):
    response = Client(headers={"Authorization": header}).get("/api/v1/conversations/")
    is_problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_media_type_that_cannot_be_given_is_a_problem(alice, program):
    is_problem(program(alice).get("/api/v1/conversations/", headers={"Accept": "image/png"}), 406)


def test_what_nobody_foresaw_is_a_problem_without_its_details(alice, program, monkeypatch):
    from webapp.chat import services

    monkeypatch.setattr(services, "conversations", lambda *_: 1 / 0)
    problem = is_problem(program(alice).get("/api/v1/conversations/"), 500)
    assert "division" not in problem["detail"]


def test_a_body_that_is_too_large_is_a_problem(settings):
    from asgiref.testing import ApplicationCommunicator

    from webapp.asgi import application

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/qa/ask", "query_string": b"", "http_version": "1.1",
        "headers": [(b"content-length", b"3000000"), (b"content-type", b"application/json"), (b"host", b"localhost")],
    }

    async def answer() -> dict:
        communicator = ApplicationCommunicator(application, scope)
        return await communicator.receive_output(5)

    start = asyncio.run(answer())
    assert start["status"] == 413
    assert (b"content-type", b"application/problem+json") in start["headers"]
