"""A key is shown once, kept as a hash, ends when it should, and opens only what its scopes say."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.conftest import is_problem
from tests.api.test_api_deny import ROUTES, address
from webapp.accounts.models import ApiKey, Scope
from webapp.accounts.services import create_api_key

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/keys/"


OPEN = {"api/v1/protocol", "api/v1/schema", "api/v1/docs"}
"""Describes the interface, holds no data."""
ASKS_MODELS = "api/v1/languages"
"""Waits for a model service, which is not here."""


def with_key(user, **options) -> Client:
    _row, secret = create_api_key(user, "test", **options)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def make(client: Client, **fields):
    return client.post(KEYS, {"name": "made", **fields}, content_type="application/json")


def test_a_key_is_shown_once_and_only_its_hash_is_kept(alice):
    client = with_key(alice)
    secret = make(client).json()["key"]
    assert all(secret not in str(values) for values in ApiKey.objects.values())
    listed = client.get(KEYS).json()["results"]
    assert all("key" not in one for one in listed) and secret.startswith(listed[0]["prefix"])


def test_a_key_has_every_scope_unless_some_are_named(alice):
    client = with_key(alice)
    assert make(client).json()["scopes"] == Scope.values
    assert make(client, scopes=["writing", "answers"]).json()["scopes"] == ["answers", "writing"]
    is_problem(make(client, scopes=[]), 400)
    is_problem(make(client, scopes=["everything"]), 400)


def test_a_deleted_key_is_refused_at_once(alice):
    client = with_key(alice)
    made = make(client).json()
    other = Client(headers={"Authorization": f"Bearer {made['key']}"})
    assert other.get(KEYS).status_code == 200
    assert client.delete(f"{KEYS}{made['id']}/").status_code == 204
    is_problem(other.get(KEYS), 401)


def test_a_key_that_has_ended_is_refused(alice):
    client = with_key(alice, expires_at=timezone.now() + timedelta(days=1))
    assert client.get(KEYS).status_code == 200
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    is_problem(client.get(KEYS), 401)


def test_the_last_use_of_a_key_is_noted(alice):
    with_key(alice).get(KEYS)
    assert timezone.now() - ApiKey.objects.get().last_used_at < timedelta(minutes=1)


def test_a_key_makes_none_that_may_do_more_than_itself(alice):
    client = with_key(alice, scopes=[Scope.ACCOUNT, Scope.READ])
    assert make(client, scopes=[Scope.READ]).status_code == 201
    is_problem(make(client, scopes=[Scope.WRITE]), 403)
    is_problem(make(client), 403)


def test_reading_documents_and_changing_them_are_two_scopes(alice):
    client = with_key(alice, scopes=[Scope.READ])
    assert client.get("/api/v1/collections/").status_code == 200
    refused = client.post("/api/v1/collections/", {"name": "x"}, content_type="application/json")
    assert "documents.write" in is_problem(refused, 403)["detail"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_key_without_the_scope_opens_no_address(admin, method):
    """Of whatever there is, for each scope: a view that names no scope is open to none of these keys."""
    opened: dict[str, set[str]] = {}
    for scope in Scope.values:
        client = with_key(admin, scopes=[scope])
        for route in ROUTES:
            if not route.startswith(("api/v1/", "v1/")) or route in OPEN | {ASKS_MODELS}:
                continue
            response = getattr(client, method)(address(route))
            lacks = response.status_code == 403 and "scope" in response.content.decode()
            if response.status_code not in (404, 405) and not lacks:
                opened.setdefault(route, set()).add(scope)
    assert opened, "the walk finds something"
    assert all(len(scopes) == 1 for scopes in opened.values()), opened




def test_clients_of_openai_and_libretranslate_need_their_scopes(alice):
    reads = with_key(alice, scopes=[Scope.READ])
    assert reads.get("/v1/models").status_code == 403
    assert reads.get("/v1/models").json()["error"]["type"] == "permission_error"
    assert "scope" in reads.post("/translate_file").json()["error"]
    assert "missing file" in with_key(alice, scopes=[Scope.WRITING]).post("/translate_file").json()["error"]


def test_the_command_makes_a_key_of_some_scopes(alice, capsys):
    from django.core.management import call_command

    call_command("apikey", "alice", name=uuid.uuid4().hex, scope=["answers"], days=3)
    key = ApiKey.objects.get()
    assert key.scopes == ["answers"] and timedelta(days=2) < key.expires_at - timezone.now() < timedelta(days=3)


@pytest.mark.parametrize("days", [10**10, 36_501, 0, -1])
def test_the_command_refuses_days_that_no_key_can_last(alice, days):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="--days must be from 1 to 36,500"):
        call_command("apikey", "alice", name="n", days=days)
    assert not ApiKey.objects.exists()


def test_the_account_page_makes_a_key_of_some_scopes(alice, browser):
    shown = browser(alice).post("/account/", {"form": "key", "name": "n", "scopes": ["answers"], "days": "30"})
    assert "May only:" in shown.content.decode()
    key = ApiKey.objects.get()
    assert key.scopes == ["answers"] and key.expires_at > timezone.now() + timedelta(days=29)
