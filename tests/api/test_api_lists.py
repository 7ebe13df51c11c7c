"""Every list is cut into pages, searched, ordered and narrowed in the same way, and says so in its description."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.conftest import is_problem
from webapp.knowledge.models import Collection
from webapp.training.models import Job

pytestmark = pytest.mark.django_db
COLLECTIONS = "/api/v1/collections/"
PAGE = {"page", "page_size"}
NOT_PAGED = {"/api/v1/classify", "/api/v1/languages", "/api/v1/models/{id}/", "/api/v1/translations/export/"}
"""What is answered whole: what can be done, one thing's versions, a file."""


@pytest.fixture
def collections(alice):
    now = timezone.now()
    for days, (name, description) in enumerate([("Ships", "at sea"), ("Birds", "in the air"), ("Boats", "at sea")]):
        made = Collection.objects.create(owner=alice, name=name, description=description)
        Collection.objects.filter(pk=made.pk).update(created_at=now - timedelta(days=days))


def names(client, **asked: str) -> list[str]:
    reply = client.get(COLLECTIONS, asked)
    assert reply.status_code == 200, reply.content
    return [row["name"] for row in reply.json()["results"]]


def test_a_list_is_searched_for_all_of_the_words(collections, alice, program, redis_url):
    client = program(alice)
    assert names(client, search="SEA") == ["Boats", "Ships"]
    assert names(client, search="sea shi") == ["Ships"] and names(client, search="sea air") == []
    assert names(client, search="%") == [] and names(client, search="\x00") == ["Birds", "Boats", "Ships"]


def test_a_list_is_ordered_both_ways(collections, alice, program, redis_url):
    assert names(program(alice), ordering="-name") == ["Ships", "Boats", "Birds"]
    assert names(program(alice), ordering="created_at") == ["Boats", "Birds", "Ships"]


def test_a_list_is_narrowed_to_when_things_were_made(collections, alice, program, redis_url):
    client, noon = program(alice), timezone.now() - timedelta(days=1, hours=12)
    assert names(client, created_after=noon.isoformat()) == ["Birds", "Ships"]
    assert names(client, created_before=noon.isoformat()) == ["Boats"]
    assert names(client, created_after=f"{timezone.now() + timedelta(days=2):%Y-%m-%d}") == []


def test_a_list_is_narrowed_to_what_a_field_says(admin, program, redis_url):
    for status in ("queued", "done"):
        Job.objects.create(task="qa", kind="train", status=status, queued_at=timezone.now())
    found = program(admin).get("/api/v1/jobs/", {"status": "done", "task": "qa"}).json()
    assert [row["status"] for row in found["results"]] == ["done"] and found["count"] == 1


@pytest.mark.parametrize(("path", "field", "value"), [
    (COLLECTIONS, "ordering", "owner__password"), (COLLECTIONS, "ordering", "-"), (COLLECTIONS, "search", "a" * 201),
    (COLLECTIONS, "created_after", "yesterday"), (COLLECTIONS, "created_before", "2026-02-30"),
    (COLLECTIONS, "created_before", "0001-01-01T00:00:00+23:59"), (COLLECTIONS, "visibility", "secret"),
    ("/api/v1/jobs/", "status", "x"), ("/api/v1/evaluations/", "job", "x"),
])
def test_what_cannot_be_asked_of_a_list_is_refused_with_the_field(admin, program, redis_url, path, field, value):
    assert field in is_problem(program(admin).get(path, {field: value}), 400)["errors"]


def test_one_thing_is_there_however_its_list_is_asked_for(collections, alice, program, redis_url):
    own = Collection.objects.get(name="Ships")
    assert program(alice).get(f"{COLLECTIONS}{own.pk}/", {"search": "nothing"}).status_code == 200


def test_every_list_that_is_described_is_paged_and_can_be_ordered_or_is_known_not_to_be():
    paths = Client().get("/api/v1/schema").json()["paths"]
    lists = {}
    for path, operations in paths.items():
        if path.startswith("/api/v1/") and "get" in operations:
            body = operations["get"]["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rsplit("/", 1)[-1]
            asked = {one["name"] for one in operations["get"].get("parameters", ()) if one["in"] == "query"}
            if name.startswith("Paginated") or body.get("type") == "array":
                lists[path] = asked
    assert len(lists) >= 14
    assert {path for path, asked in lists.items() if not asked >= PAGE} <= NOT_PAGED
    assert all("ordering" in asked for path, asked in lists.items() if "{" not in path
               and path not in {*NOT_PAGED, "/api/v1/models/"})
