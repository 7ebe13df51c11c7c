"""`kill -9` of one process after the other while an answer is in the making: nothing is lost, nothing doubled.

The model service is frozen while the question is put, so that the answer is surely in the middle when the kill comes.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.library import TOWER
from tests.running_site import Person, Site

pytestmark = pytest.mark.e2e
QUESTION = "How tall is the Eiffel Tower?"
LONGEST_SECONDS = 90


@pytest.fixture(scope="module")
def collection(person: Person) -> str:
    return person.add_collection(tower=TOWER)


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def ask(socket: ClientConnection, collection: str) -> dict[str, Any]:
    """The first event's envelope."""
    await say(socket, type="ask", key=uuid.uuid4().hex, question=QUESTION, collections=[collection])
    started = json.loads(await socket.recv())
    assert started["event"]["type"] == "start", started
    return started


async def hear_to_the_end(socket: ClientConnection) -> list[dict[str, Any]]:
    heard = []
    async with asyncio.timeout(LONGEST_SECONDS):
        while not heard or heard[-1]["event"]["type"] not in ("done", "error"):
            heard.append(json.loads(await socket.recv()))
    return heard


def check_that_it_is_whole(person: Person, started: dict[str, Any], heard: list[dict[str, Any]]) -> None:
    """The last event is the answer, the saved row says the same, and there is one question with one answer."""
    last = heard[-1]["event"]
    assert last["type"] == "done" and "330 metres" in last["answer"], last
    numbers = [started["seq"], *(envelope["seq"] for envelope in heard)]
    assert numbers == sorted(set(numbers))
    question, answer = person.get(f"/api/v1/conversations/{started['conversation']}/")["messages"]
    assert (question["text"], answer["status"], answer["id"]) == (QUESTION, "done", started["message"])
    assert answer["payload"] == last


async def test_the_model_service_killed_during_an_answer(site: Site, person: Person, collection: str):
    async with person.open_chat() as socket:
        with site.frozen("models"):
            started = await ask(socket, collection)
            killed = site.kill("models")
        heard = await hear_to_the_end(socket)
    check_that_it_is_whole(person, started, heard)
    await asyncio.to_thread(site.wait_for_new, "models", killed)


async def test_the_web_process_killed_during_an_answer(site: Site, person: Person, collection: str):
    with site.frozen("models"):
        async with person.open_chat() as socket:
            started = await ask(socket, collection)
            killed = site.kill("web")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
    await asyncio.to_thread(site.wait_for_new, "web", killed)
    async with person.open_chat() as socket:
        await say(socket, type="resume", message=started["message"], after=started["seq"])
        heard = await hear_to_the_end(socket)
    assert heard[0]["event"]["type"] == "start"
    check_that_it_is_whole(person, started, heard)


async def test_redis_killed_during_an_answer(site: Site, person: Person, collection: str):
    async with person.open_chat() as socket:
        with site.frozen("models"):
            started = await ask(socket, collection)
            killed = site.kill("redis")
        heard = await hear_to_the_end(socket)
        check_that_it_is_whole(person, started, heard)
        await asyncio.to_thread(site.wait_for_new, "redis", killed)
        again = await ask(socket, collection)
        check_that_it_is_whole(person, again, await hear_to_the_end(socket))


def test_the_command_line_asks_the_running_site(site: Site, person: Person, collection: str):
    name = person.get(f"/api/v1/collections/{collection}/")["name"]
    answer = site.command("ask", QUESTION, "--collection", name)
    assert "330 metres" in answer["answer"] and answer["citations"][0]["title"] == "The Eiffel Tower"
