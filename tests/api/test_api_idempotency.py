"""A request with an Idempotency-Key is done once, however often and however close together it is sent."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone

from tests.api.conftest import is_problem
from webapp.api.models import KeptAnswer
from webapp.knowledge import services
from webapp.knowledge.models import Collection, Document

pytestmark = pytest.mark.django_db(transaction=True)
COLLECTIONS = "/api/v1/collections/"


def make(client, key: str, name: str = "Towers", address: str = COLLECTIONS):
    return client.post(address, {"name": name}, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_same_key_and_body_give_the_first_answer_again(alice, program):
    client = program(alice)
    first, second = make(client, "k1"), make(client, "k1")
    assert first.status_code == second.status_code == 201 and first.content == second.content
    assert second["Content-Type"] == first["Content-Type"]
    assert "Idempotency-Replayed" not in first and second["Idempotency-Replayed"] == "true"
    assert Collection.objects.count() == 1


def test_the_order_of_a_bodys_fields_does_not_matter(alice, program):
    client = program(alice)
    bodies = ({"name": "A", "visibility": "private"}, {"visibility": "private", "name": "A"})
    answers = [client.post(COLLECTIONS, json.dumps(body), content_type="application/json",
                           headers={"Idempotency-Key": "k"}) for body in bodies]
    assert answers[0].json() == answers[1].json() and Collection.objects.count() == 1


def test_another_body_or_another_address_with_the_same_key_is_refused(alice, program):
    client = program(alice)
    make(client, "k1")
    is_problem(make(client, "k1", "Bridges"), 422)
    is_problem(make(client, "k1", address="/api/v1/qa/ask"), 422)
    assert Collection.objects.count() == 1


def test_a_key_is_one_persons_own(alice, bob, program):
    assert make(program(alice), "k1").json()["id"] != make(program(bob), "k1").json()["id"]


def test_while_the_first_is_under_way_the_second_is_told_to_wait(alice, program, monkeypatch):
    begun, go_on, create = threading.Event(), threading.Event(), services.create_collection

    def slow(*args, **options):
        begun.set()
        assert go_on.wait(60)
        return create(*args, **options)

    monkeypatch.setattr(services, "create_collection", slow)
    client = program(alice)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(_closing(make), client, "k1")
        assert begun.wait(60)
        waits = make(client, "k1")
        go_on.set()
        assert first.result().status_code == 201
    assert is_problem(waits, 409)["retryable"] is True and int(waits["Retry-After"]) >= 1
    assert make(client, "k1").json() == first.result().json()


def test_of_many_that_come_at_once_one_is_done(alice, program):
    client = program(alice)
    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(lambda _: _closing(make)(client, "k1"), range(12)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert len({one.content for one in answers if one.status_code == 201}) == 1
    assert Collection.objects.count() == 1


def test_an_upload_that_is_sent_again_is_not_kept_twice(alice, program, redis_url):
    own = services.create_collection(alice, name="Own")
    client = program(alice)

    def upload(text: bytes):
        file = SimpleUploadedFile("a.txt", text)
        return client.post("/api/v1/documents/", {"collection": str(own.pk), "file": file},
                           headers={"Idempotency-Key": "k1"})

    first, second = upload(b"Hello there."), upload(b"Hello there.")
    assert first.status_code == 202 and second.content == first.content
    is_problem(upload(b"Something else."), 422)
    assert Document.objects.count() == 1


def test_a_refusal_is_kept_and_what_failed_by_chance_is_not(alice, program, monkeypatch):
    client = program(alice)
    assert make(client, "bad", "").status_code == 400
    assert make(client, "bad", "")["Idempotency-Replayed"] == "true"
    with monkeypatch.context() as broken:
        broken.setattr(services, "create_collection", lambda *_args, **_options: 1 / 0)
        assert make(client, "k1").status_code == 500
    assert make(client, "k1").status_code == 201


def test_keys_are_kept_for_a_day(alice, program):
    client = program(alice)
    make(client, "k1")
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert make(client, "k1", "Bridges").status_code == 201


def test_a_request_that_died_with_its_process_does_not_block_its_key_for_ever(alice, program):
    client = program(alice)
    make(client, "k1")
    KeptAnswer.objects.update(status=None, created_at=timezone.now() - timedelta(minutes=31))
    assert make(client, "k1", "Bridges").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_cannot_be_used_is_refused(alice, program, key):
    is_problem(make(program(alice), key), 400)


def test_the_description_says_which_operations_take_the_header(client):
    paths = client.get("/api/v1/schema", headers={"Accept": "application/json"}).json()["paths"]

    def takes(path: str) -> bool:
        return any(one["name"] == "Idempotency-Key" for one in paths[path]["post"].get("parameters", ()))

    assert takes("/api/v1/jobs/") and takes("/api/v1/documents/") and takes("/v1/chat/completions")
    assert not takes("/api/v1/keys/"), "the key would be kept readable"


def _closing(call):
    """In a thread: closes its own connection to the database."""

    def closing(*args):
        try:
            return call(*args)
        finally:
            connections.close_all()

    return closing
