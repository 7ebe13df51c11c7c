"""/ws/translate/: as it is typed."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async

from webapp.writing.models import Translation

pytestmark = pytest.mark.django_db(transaction=True)


async def hear_all(socket) -> list[dict]:
    heard = [await socket.hear()]
    while heard[-1]["type"] not in ("done", "error"):
        heard.append(await socket.hear())
    return heard


async def test_a_text_comes_back_as_start_deltas_and_done_with_its_id(translators, connect, alice):
    socket = await connect(alice)
    await socket.say(type="translate", id="7", text="One {a}. Two {b}.", source="en", target="de")
    heard = await hear_all(socket)
    assert [event["type"] for event in heard] == ["start", "delta", "delta", "done"]
    assert {event["id"] for event in heard} == {"7"}
    done = heard[-1]
    assert "".join(event["text"] for event in heard[1:3]) == done["translation"]
    assert "{a}" in done["translation"] and "{b}" in done["translation"]


async def test_a_newer_text_takes_the_place_of_the_one_before(translators, connect, alice):
    socket = await connect(alice)
    with translators.frozen():
        await socket.say(type="translate", id="1", text="An old text.", source="en", target="de")
        await socket.say(type="translate", id="2", text="A new text.", source="en", target="de")
        await socket.say(type="nothing")
        while (await socket.hear())["type"] != "error":
            pass  # its refusal tells that the new text has come before the old one could be done
    heard = await hear_all(socket)
    assert heard[-1]["id"] == "2" and heard[-1]["type"] == "done"
    assert all(event["id"] == "2" or event["type"] == "start" for event in heard)


async def test_a_cancelled_text_ends_at_once(translators, connect, alice):
    socket = await connect(alice)
    with translators.frozen():
        await socket.say(type="translate", id="1", text="A text.", source="en", target="de")
        await socket.say(type="cancel", id="1")
        heard = await hear_all(socket)
    assert heard[-1]["code"] == "cancelled"


async def test_a_kept_translation_is_in_the_history_and_goes_on_from_the_one_before(translators, connect, alice):
    socket = await connect(alice)
    for number, text in enumerate(("The train", "The train is late.")):
        await socket.say(type="translate", id=str(number), text=text, source="en", target="de")
        done = (await hear_all(socket))[-1]
        await socket.say(type="keep", id=str(number))
    await socket.say(type="cancel", id="none")  # handled after the ones before
    await socket.say(type="translate", id="9", text="x", source="en", target="en")
    await hear_all(socket)
    rows = await database_sync_to_async(lambda: list(Translation.objects.values_list("text", "translation")))()
    assert rows == [("The train is late.", done["translation"])]


@pytest.mark.parametrize(("frame", "code"), [
    ({"type": "translate", "id": "1", "text": "  ", "target": "de"}, "bad_request"),
    ({"type": "translate", "id": "1", "text": "a" * 20_001, "target": "de"}, "too_large"),
    ({"type": "translate", "id": "1", "text": "Hello", "source": "en", "target": "xx"}, "bad_request"),
    ({"type": "translate", "id": "1", "text": "a" * 300_000, "target": "de"}, "too_large"),
    ({"type": "dance", "id": "1"}, "bad_request"),
])
async def test_a_bad_frame_is_answered_and_the_socket_goes_on(translators, connect, alice, frame, code):
    socket = await connect(alice)
    await socket.say(**frame)
    error = (await hear_all(socket))[-1]
    assert (error["type"], error["code"], error["id"]) == ("error", code, "1")
    await socket.say(type="translate", id="2", text="Still {here}.", source="en", target="de")
    assert "{here}" in (await hear_all(socket))[-1]["translation"]


async def test_a_stranger_is_told_to_sign_in_where_guests_may_not_chat(connect, settings):
    settings.GUESTS_MAY_CHAT = False
    socket = await connect()
    assert (await socket.hear())["type"] == "error"
    assert await socket.hear_close() == 4401


async def test_a_flood_is_answered_once_and_then_closed(connect, alice):
    socket = await connect(alice)
    for number in range(260):
        await socket.say(type="cancel", id=str(number))
    assert (await socket.hear())["code"] == "busy"
    assert await socket.hear_close() == 4429
