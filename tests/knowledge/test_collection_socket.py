"""The socket that a collection's page follows while documents are read in."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.test import Client

from tests.knowledge.conftest import start_redis
from webapp.knowledge import progress, services
from webapp.knowledge.models import Document, DocumentStatus
from webapp.settings.places import redis_socket

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60


@pytest.fixture
async def follow():
    """`await follow(user, path)`: that browser's end of the socket, accepted."""
    opened = []

    async def follow(user: Any, path: str) -> ApplicationCommunicator:
        from webapp.asgi import application

        headers = [(b"host", b"localhost")]
        if user is not None:
            headers.append((b"cookie", await asyncio.to_thread(_cookie, user)))
        path, _mark, query = path.partition("?")
        socket = ApplicationCommunicator(application, {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "headers": headers, "subprotocols": [], "scheme": "ws",
        })
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(PATIENCE))["type"] == "websocket.accept"
        opened.append(socket)
        return socket

    yield follow
    for socket in opened:
        await socket.send_input({"type": "websocket.disconnect", "code": 1001})
        await socket.wait(PATIENCE)


def _cookie(user: Any) -> bytes:
    from django.db import connection

    client = Client()
    client.force_login(user)
    connection.close()
    return f"sessionid={client.cookies['sessionid'].value}".encode()


async def hear_until(socket: ApplicationCommunicator, **wanted: Any) -> dict[str, Any]:
    while True:
        message = await socket.receive_output(PATIENCE)
        event = json.loads(message["text"])
        if all(event.get(name) == value for name, value in wanted.items()):
            return event


async def test_a_page_sees_its_document_wait_be_read_and_become_ready(alice, collection, add, models, follow):
    from webapp.knowledge import worker

    document = await database_sync_to_async(add)(collection)
    socket = await follow(alice, f"/ws/collections/{collection.pk}/")
    first = await hear_until(socket, type="document", status="queued")
    assert first["id"] == str(document.pk) and first["name"] == "lighthouse.txt"
    await database_sync_to_async(worker.ingest)(document.pk)
    await hear_until(socket, type="document", status="processing")
    ready = await hear_until(socket, type="document", status="ready")
    assert ready["passages_done"] == ready["passages_total"] > 0 and ready["seq"] > 0


async def test_a_page_that_comes_back_hears_of_deletions_that_it_missed(alice, collection, add, follow):
    kept = await database_sync_to_async(add)(collection, "one")
    gone = await database_sync_to_async(add)(collection, "two", "two.txt")
    path, gone_id = f"/ws/collections/{collection.pk}/", str(gone.pk)
    seen = await hear_until(await follow(alice, path), id=gone_id)
    await database_sync_to_async(services.delete_document)(gone)
    await database_sync_to_async(progress.announce)(kept)
    back = await follow(alice, f"{path}?after={seen['seq']}")
    await hear_until(back, type="deleted", id=gone_id)
    await hear_until(back, type="document", id=str(kept.pk))


async def test_another_persons_collection_and_one_that_does_not_exist_close_with_4404(bob, collection, follow):
    for path in (f"/ws/collections/{collection.pk}/", f"/ws/collections/{uuid.uuid4()}/"):
        for person in (bob, None):
            socket = await follow(person, path)
            assert (await socket.receive_output(PATIENCE))["code"] == 4404


async def test_the_socket_closes_when_its_collection_is_deleted(alice, collection, follow, monkeypatch):
    monkeypatch.setattr("webapp.knowledge.consumers.CHECK_SECONDS", 0)
    monkeypatch.setattr("webapp.event_log.WAIT_MS", 200)
    socket = await follow(alice, f"/ws/collections/{collection.pk}/")
    await database_sync_to_async(services.delete_collection)(collection)
    assert (await socket.receive_output(PATIENCE))["code"] == 4404


async def test_a_document_that_became_ready_while_redis_was_away_is_shown_once_it_is_back(
    alice, collection, add, follow, settings, tmp_path
):
    redis = start_redis(tmp_path)
    settings.REDIS_URL = f"unix://{redis_socket(tmp_path)}"
    try:
        document = await database_sync_to_async(add)(collection)
        socket = await follow(alice, f"/ws/collections/{collection.pk}/")
        await hear_until(socket, status="queued")
        redis.kill()
        redis.wait()
        ready = Document.objects.filter(pk=document.pk)
        await ready.aupdate(status=DocumentStatus.READY)
        redis = await asyncio.to_thread(start_redis, tmp_path)
        assert (await hear_until(socket, status="ready"))["id"] == str(document.pk)
    finally:
        redis.kill()
        redis.wait()
