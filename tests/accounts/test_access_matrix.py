"""Who may reach what: every address and every socket of the site, as each role. The table is the whole rule.

An address or a socket without a rule fails, so that nothing new comes without one.
"""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from tests.api.test_api_deny import PUBLIC, ROUTES, address
from tests.chat.conftest import HOST, Socket, _signed_in

ROLES = ["stranger", "guest", "user", "editor", "admin"]
"""Each may do all that the one before may. A stranger is someone on a site that lets no guests in."""

LEAST_ROLE = {
    # pages
    "c/": "guest", "collections/": "guest user", "documents/": "guest", "summarize/": "guest", "translate/": "guest",
    "search/": "guest", "account/": "user", "collections/<uuid:identifier>/shares/": "user",
    "graph/": "guest", "dashboard/": "admin",
    # REST
    "api/v1/qa/ask": "guest", "api/v1/summarize": "guest", "api/v1/translate": "guest", "api/v1/languages": "guest",
    "api/v1/collections/": "guest user", "api/v1/documents/": "guest user", "api/v1/web-imports/": "guest user",
    "api/v1/conversations/": "guest",
    "api/v1/feedback/": "guest", "api/v1/summaries/": "guest", "api/v1/translation-batches/": "guest",
    "api/v1/translation-files/": "guest", "api/v1/glossary/": "user",
    "api/v1/translations/": "user", "api/v1/keys/": "user", "api/v1/usage": "user", "api/v1/quotas/": "admin",
    "api/v1/ops/": "admin",
    "api/v1/abstention": "admin",
    "api/v1/search": "guest", "api/v1/search/marks/": "user", "api/v1/classify": "guest",
    "api/v1/datasets/": "admin", "api/v1/jobs/": "admin", "api/v1/evaluations/": "admin", "api/v1/models/": "admin",
    "api/v1/graph/sources/": "admin", "api/v1/graph/sparql": "admin", "api/v1/graph/counts": "guest",
    "api/v1/graph/entities": "guest", "api/v1/graph/entity": "guest",
    # as LibreTranslate's clients and OpenAI's ask; refusals have those services' own form
    "detect": "guest", "translate": "guest", "translate_file": "guest", "download_file/": "guest", "v1/": "guest",
    "suggest": "nobody",
}
"""The least role that gets past the door at addresses that begin so; the longest beginning counts.
Two roles: to read, to write."""
ASKS_MODELS = ("api/v1/languages", "detect", "translate", "v1/")
"""Whoever gets past the door here waits for the model service, which does not run."""
SOCKETS = {
    "/ws/chat/": "guest", "/ws/summarize/": "guest", "/ws/translate/": "guest",
    "/ws/collections/COLLECTION/": "owner", "/ws/jobs/JOB/": "admin",
}


def rule(route: str) -> list[str] | None:
    """The roles that `route` needs, to read and to write."""
    if route == "":
        return ["guest", "guest"]
    found = [beginning for beginning in LEAST_ROLE if route == beginning or
             (route.startswith(beginning) and beginning.endswith("/"))]
    return (LEAST_ROLE[max(found, key=len)].split() * 2)[:2] if found else None


def may(role: str, least: str) -> bool:
    return least != "nobody" and ROLES.index(role) >= ROLES.index(least)


def test_every_address_has_a_rule():
    assert [route for route in ROUTES if route not in PUBLIC and rule(route) is None] == []


@pytest.fixture
def people(alice, guest, admin) -> dict[str, Any]:
    from webapp.accounts.models import User

    editor = User.objects.create(username="ed", role="editor")
    return {"user": alice, "admin": admin, "guest": guest, "editor": editor}


def browser_of(people: dict[str, Any], role: str) -> Client:
    client = Client()
    if role == "guest":
        session = client.session
        session["guest"] = people["guest"].pk
        session.save()
    elif role != "stranger":
        client.force_login(people[role])
    return client


def is_refused(response: Any) -> bool:
    """At the door: sign in first, or not with this role. Nothing is said of whether a thing exists."""
    to_sign_in = response.status_code == 302 and response["Location"].startswith("/sign-in/")
    return to_sign_in or response.status_code in (401, 403)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_past_the_doors_of_the_table_and_no_others(people, settings, redis_url, role):
    settings.GUESTS_MAY_CHAT = role != "stranger"
    browser = browser_of(people, role)
    wrong = []
    for route in ROUTES:
        if route in PUBLIC:
            continue
        for method, least in zip((browser.get, browser.post), rule(route), strict=True):
            if may(role, least) and route.startswith(ASKS_MODELS):
                continue
            response = method(address(route))
            if may(role, least):
                ok = not is_refused(response) and response.status_code < 500
            else:  # nothing is told where nothing is found, or what was sent cannot be read
                nothing_told = (400, 405, 415) + ((404,) if "<" in route else ())
                ok = is_refused(response) or response.status_code in nothing_told
            if not ok:
                wrong.append((role, method.__name__, route, response.status_code))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.fixture
def things(people, document, collection) -> dict[str, str]:
    """Addresses of a thing of each kind that is alice's own."""
    from webapp.accounts.services import create_api_key
    from webapp.chat.models import Conversation
    from webapp.knowledge.models import WebImport
    from webapp.writing.models import GlossaryTerm, SummarizedText, Translation, TranslationBatch, TranslationFile

    alice = people["user"]
    conversation = Conversation.objects.create(owner=alice, title="Mine")
    text = SummarizedText.objects.create(owner=alice, title="Mine")
    translation = Translation.objects.create(owner=alice, source="en", target="de", text="a", translation="b")
    batch = TranslationBatch.objects.create(owner=alice, source="en", target="de")
    file = TranslationFile.objects.create(batch=batch, name="a.txt", size=1)
    term = GlossaryTerm.objects.create(owner=alice, source_language="en", target_language="de", source="a")
    web_import = WebImport.objects.create(collection=collection, address="https://example.org/")
    key, _secret = create_api_key(alice, "mine")
    return {
        f"/c/{conversation.pk}/": "get", f"/collections/{collection.pk}/": "get",
        f"/collections/{collection.pk}/shares/": "get", f"/documents/{document.pk}/": "get",
        f"/summarize/{text.pk}/": "get", f"/api/v1/conversations/{conversation.pk}/": "get",
        f"/api/v1/conversations/{conversation.pk}/export/?format=json": "get",
        f"/api/v1/collections/{collection.pk}/": "get", f"/api/v1/collections/{collection.pk}/shares/": "get",
        f"/api/v1/documents/{document.pk}/": "get", f"/api/v1/documents/{document.pk}/text/": "get",
        f"/api/v1/web-imports/{web_import.pk}/": "get", f"/api/v1/web-imports/{web_import.pk}/cancel/": "post",
        f"/api/v1/summaries/{text.pk}/": "get", f"/api/v1/translation-batches/{batch.pk}/": "get",
        f"/api/v1/translation-files/{file.pk}/cancel/": "post", f"/api/v1/translations/{translation.pk}/": "delete",
        f"/api/v1/glossary/{term.pk}/": "delete", f"/account/keys/{key.pk}/delete/": "post",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["guest", "editor", "admin"])
def test_what_is_someone_s_own_does_not_exist_for_others_whatever_their_role(people, things, settings, role):
    settings.GUESTS_MAY_CHAT = True
    browser = browser_of(people, role)
    for path, method in things.items():
        response = getattr(browser, method)(path)
        assert response.status_code == 404 or is_refused(response), (path, response.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["guest", "editor", "admin"])
def test_what_is_someone_s_own_is_changed_and_deleted_by_nobody_else(people, things, settings, role):
    settings.GUESTS_MAY_CHAT = True
    other, owner = browser_of(people, role), browser_of(people, "user")
    for path in things:
        for method in ("post", "put", "patch", "delete"):
            reply = getattr(other, method)(path, {"name": "taken", "title": "taken"}, content_type="application/json")
            assert is_refused(reply) or 400 <= reply.status_code < 500, (method, path, reply.status_code)
    for path, method in things.items():
        assert method != "get" or b"taken" not in owner.get(path).content, path


@pytest.mark.django_db
def test_what_is_someone_s_own_is_theirs(people, things):
    browser = browser_of(people, "user")
    for path, method in things.items():
        response = getattr(browser, method)(path)
        assert response.status_code < 400, (path, response.status_code)


def test_every_socket_has_a_rule():
    from webapp import asgi

    routes = {str(route.pattern) for part in (asgi.chat_sockets, asgi.knowledge_sockets, asgi.training_sockets,
                                              asgi.writing_sockets) for route in part}
    known = {path[1:].replace("COLLECTION", "<uuid:pk>").replace("JOB", "<uuid:pk>") for path in SOCKETS}
    assert routes == known


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", SOCKETS)
async def test_each_role_may_open_the_sockets_of_the_table_only(people, collection, settings, redis_url, path):
    from webapp.training.models import Job

    job = await Job.objects.acreate(task="qa", kind="train", queued_at=timezone.now())
    for role in ROLES:
        settings.GUESTS_MAY_CHAT = role != "stranger"
        allowed = role == "user" if SOCKETS[path] == "owner" else may(role, SOCKETS[path])
        real = path.replace("COLLECTION", str(collection.pk)).replace("JOB", str(job.pk))
        socket = Socket(await _headers(people, role), real)
        opened = await socket.open()
        assert await socket.stays_open() if allowed else not opened or await socket.hear_refusal(), (role, path)
        await socket.leave()


async def _headers(people: dict[str, Any], role: str) -> list[tuple[bytes, bytes]]:
    host = (b"host", HOST.encode())
    if role in ("guest", "stranger"):
        cookie = (await sync_to_async(browser_of)(people, role)).cookies.get("sessionid")
        return [host, (b"cookie", f"sessionid={cookie.value}".encode())] if cookie else [host]
    session = await _signed_in(people[role])
    return [host, (b"cookie", f"sessionid={session.session_key}".encode())]
