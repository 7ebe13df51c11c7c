"""/api/v1/conversations/ and /api/v1/feedback/."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.api.conftest import is_problem
from webapp.chat import services
from webapp.chat.models import Conversation, Feedback, Message

pytestmark = pytest.mark.django_db
URL = "/api/v1/conversations/"


@pytest.fixture
def asked(alice) -> services.Asked:
    made = services.ask(alice, "a-key-of-hers", "How tall is the tower?")
    payload = {"type": "done", "answer": "330 metres.", "citations": []}
    Message.objects.filter(pk=made.answer.pk).update(status="done", text="330 metres.", payload=payload)
    return made


@pytest.fixture
def url(asked) -> str:
    return f"{URL}{asked.question.conversation.pk}/"


def test_the_list_has_ones_own_conversations(asked, alice, bob, program):
    services.ask(bob, "a-key-of-his", "Something else?")
    body = program(alice).get(URL).json()
    assert (body["count"], [c["title"] for c in body["results"]]) == (1, ["How tall is the tower?"])
    assert set(body["results"][0]) == {"id", "title", "collections", "created_at", "updated_at"}


def test_the_list_can_be_searched(asked, alice, program):
    client = program(alice)
    assert client.get(URL, {"q": "330 METRES"}).json()["count"] == 1
    assert client.get(URL, {"q": "zebra"}).json()["count"] == 0


def test_a_conversation_has_its_messages_with_answers_as_they_were_sent(asked, url, alice, program):
    services.give_feedback(alice, asked.answer.pk, True, "Right.")
    question, answer = program(alice).get(url).json()["messages"]
    assert (question["role"], question["text"], question["payload"]) == (
        "question", "How tall is the tower?", {"collections": []}
    )
    assert (answer["parent"], answer["status"]) == (question["id"], "done")
    assert answer["payload"]["answer"] == "330 metres."
    assert (answer["feedback"]["helpful"], answer["feedback"]["note"]) == (True, "Right.")
    assert question["feedback"] is None


def test_a_conversation_can_be_renamed(url, alice, program):
    client = program(alice)
    changed = client.patch(url, {"title": " Towers "}, content_type="application/json")
    assert changed.json()["title"] == "Towers"
    for title in ("", "x" * 201, None):
        problem = is_problem(client.patch(url, {"title": title}, content_type="application/json"), 400)
        assert "title" in problem["errors"]
    assert Conversation.objects.get().title == "Towers"


def test_a_conversation_can_be_deleted(url, alice, program):
    client = program(alice)
    assert client.delete(url).status_code == 204
    is_problem(client.get(url), 404)
    assert Message.objects.count() == 0


@pytest.mark.parametrize("kind, media_type, ending", [
    ("markdown", "text/markdown; charset=utf-8", "md"), ("json", "application/json", "json"),
])
def test_a_conversation_can_be_exported_as_a_file(url, alice, program, kind, media_type, ending):
    response = program(alice).get(f"{url}export/", {"as": kind})
    assert response["Content-Type"] == media_type
    assert response["Content-Disposition"] == f'attachment; filename="How-tall-is-the-tower.{ending}"'
    assert "330 metres." in response.content.decode()
    if kind == "json":
        assert json.loads(response.content)["messages"][1]["text"] == "330 metres."


def test_an_export_of_a_kind_that_there_is_not_says_which_there_are(url, alice, program):
    assert "markdown, json" in is_problem(program(alice).get(f"{url}export/", {"as": "pdf"}), 400)["detail"]


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_persons_conversation_does_not_exist(url, bob, program, method):
    is_problem(getattr(program(bob), method)(url, {"title": "mine"}, content_type="application/json"), 404)
    is_problem(program(bob).get(f"{url}export/"), 404)
    assert Conversation.objects.get().title == "How tall is the tower?"


def test_feedback_is_kept_and_the_last_one_counts(asked, alice, program):
    client = program(alice)
    for helpful, note in ((True, ""), (False, "Wrong tower.")):
        body = {"message": asked.answer.pk, "helpful": helpful, "note": note}
        response = client.post("/api/v1/feedback/", body, content_type="application/json")
        assert response.status_code == 200
        assert {name: response.json()[name] for name in body} == body
    given = Feedback.objects.get()
    assert (given.helpful, given.note, given.user) == (False, "Wrong tower.", alice)


def test_feedback_on_someone_elses_answer_is_refused_as_if_it_were_not_there(asked, bob, program):
    body = {"message": asked.answer.pk, "helpful": True}
    is_problem(program(bob).post("/api/v1/feedback/", body, content_type="application/json"), 404)
    assert Feedback.objects.count() == 0


@pytest.mark.parametrize("body", [
    {}, {"message": 1}, {"helpful": True}, {"message": "one", "helpful": True}, {"message": 1, "helpful": "perhaps"},
    {"message": 0, "helpful": True},
])
def test_feedback_that_makes_no_sense_says_what_has_to_change(alice, program, body):
    response = program(alice).post("/api/v1/feedback/", body, content_type="application/json")
    assert is_problem(response, 400)["errors"]


def test_feedback_with_a_note_that_is_too_long_is_refused(asked, alice, program):
    body = {"message": asked.answer.pk, "helpful": True, "note": "x" * 2001}
    problem = is_problem(program(alice).post("/api/v1/feedback/", body, content_type="application/json"), 400)
    assert "note" in problem["errors"]


def test_a_page_needs_its_csrf_token_to_change_something(url, alice, browser):
    client = browser(alice, checks_csrf=True)
    assert client.get(url).status_code == 200
    is_problem(client.delete(url), 403)
    assert Conversation.objects.count() == 1


def test_a_guest_sees_what_they_asked_in_their_browser(db, settings):
    from webapp.accounts.services import guest_for

    settings.GUESTS_MAY_CHAT = True
    client = Client()
    session = client.session
    session["visited"] = True
    session.save()
    services.ask(guest_for(session), "a-guests-key", "What is this?")
    assert client.get(URL).json()["count"] == 1
    assert Client().get(URL).json()["count"] == 0
