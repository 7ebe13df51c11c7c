"""Every operation of the OpenAPI description, called as each role: no fault of the server, every reply as described,
and nothing for a role that the table of tests/accounts/test_access_matrix.py does not give it.

What is added to the description is called too. Things of new kinds belong into tests/api/somebodys_things.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from tests.accounts.test_access_matrix import browser_of, may, rule
from tests.api.described_calls import faults, made_up, reply_to
from tests.api.somebodys_things import give_improving, give_things
from tests.api.test_api_deny import PUBLIC
from webapp.api.permissions import READING

pytestmark = pytest.mark.django_db(transaction=True)
WORD = "Quillfeather"
"""Stands in everything that is somebody else's."""


@dataclass
class Caller:
    """`things` are ids by the beginning of their addresses, `others` those that are somebody else's."""

    role: str
    headers: dict[str, str]
    things: dict[str, list[str]]
    others: dict[str, list[str]]


@pytest.fixture
def callers(alice, bob, guest, admin, models, redis_url, settings, program) -> list[Caller]:
    from webapp.accounts.models import User

    settings.LIMITS = {name: 1_000_000 for name in settings.LIMITS}
    settings.GUESTS_MAY_CHAT = True  # as each caller needs it, while the test lasts
    people = {"guest": guest, "user": alice, "editor": User.objects.create(username="ed", role="editor"),
              "admin": admin}
    give_things(bob, WORD)
    for person in people.values():
        if person is not guest:
            give_things(person, f"own-{person.username}")
    give_improving(admin)
    others = ids(program(bob))
    made = [Caller("stranger", {}, {}, others)]
    for role, person in people.items():
        if role == "guest":
            cookie = browser_of(people, role).cookies["sessionid"].value
            token = "a" * 32
            made.append(Caller(role, {"Cookie": f"sessionid={cookie}; csrftoken={token}", "X-CSRFToken": token},
                               {}, others))
        else:
            client = program(person)
            made.append(Caller(role, {"Authorization": client.defaults["HTTP_AUTHORIZATION"]}, ids(client), others))
    return made


def ids(client: Client) -> dict[str, list[str]]:
    """Of what a caller's lists hold, by the list's address. Never of the key that the caller comes with."""
    found: dict[str, list[str]] = {}
    for path, operations in client.get("/api/v1/schema").json()["paths"].items():
        if "{" in path or "get" not in operations or path in ("/api/v1/protocol", "/v1/models"):
            continue
        reply = client.get(path)
        if reply.status_code != 200 or reply["Content-Type"] != "application/json":
            continue
        body = reply.json()
        rows = body.get("results", []) if isinstance(body, dict) else body
        for row in filter(lambda one: isinstance(one, dict), rows):
            if not (path.endswith("/keys/") and row["name"] == "test"):
                found.setdefault(path, []).append(str(row.get("id") or row.get("name")))
            for file in row.get("files", []):
                found.setdefault("/api/v1/translation-files/", []).append(file["id"])
    return found


def aim(case: Any, caller: Caller) -> bool:
    """Let most calls be of a thing that there is; whether it is somebody else's."""
    chance = random.Random(repr((case.path_parameters, case.body)))
    kinds = [caller.things, caller.others]
    chance.shuffle(kinds)
    for things in kinds:
        known = things.get(case.path.split("{")[0])
        if known and "id" in case.path_parameters and chance.random() < 0.6:
            case.path_parameters["id"] = chance.choice(known)
            return case.path_parameters["id"] not in caller.things.get(case.path.split("{")[0], [])
    return False


def overreach(case: Any, reply: Any, caller: Caller, is_others: bool) -> Iterator[str]:
    """What the caller got and should not have."""
    route = case.path.removeprefix("/")
    least = rule(route)
    if route in PUBLIC or reply.status_code >= 400:
        return
    if not may(caller.role, least[case.method not in READING]):
        yield f"a {caller.role} got in"
    if is_others:
        yield "somebody else's thing was there"
    if WORD.encode() in reply.content:
        yield "somebody else's word was told"


def all_faults(callers: list[Caller], *, boundary: int, free: int, seed: int, all_as_everybody: bool) -> list[str]:
    """What is wrong, once for each operation and kind of fault. The first call of each operation is made by
    everybody, the others by one after the other unless all are."""
    from django.conf import settings

    found: dict[tuple[str, str], str] = {}
    begun: set[str] = set()
    for number, case in enumerate(made_up(boundary, free, seed)):
        operation = case.operation.label
        everybody = all_as_everybody or operation not in begun
        begun.add(operation)
        for caller in callers if everybody else [callers[number % len(callers)]]:
            settings.GUESTS_MAY_CHAT = caller.role != "stranger"
            is_others = aim(case, caller)
            reply = reply_to(case, caller.headers)
            for fault in (*faults(case, reply), *overreach(case, reply, caller, is_others)):
                found.setdefault((operation, fault[:60]), (
                    f"{operation} as {caller.role}: {reply.status_code} {fault[:600]}\n{reply.text[:200]}\n"
                    f"{case.as_curl_command()[:600]}"))
    return list(found.values())


@pytest.mark.slow
def test_a_few_calls_of_everything(callers):
    found = all_faults(callers, boundary=1, free=1, seed=1, all_as_everybody=False)
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_many_calls_of_everything_as_each_role(callers):
    found = all_faults(callers, boundary=20, free=10, seed=2, all_as_everybody=True)
    assert not found, "\n\n".join(found)
