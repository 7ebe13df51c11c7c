"""Asking over the chat's socket, with the real model service, index and Redis."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from tests.library import BRIDGE, TOWER, add_collection
from webapp.chat.models import Conversation, Message
from webapp.knowledge import services as knowledge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def library(models, redis_url, alice):
    return await sync_to_async(add_collection)(alice, tower=TOWER, bridge=BRIDGE)


async def test_an_answer_arrives_as_numbered_events_and_is_saved_with_its_citations(connect, library, alice):
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    heard = await socket.hear_until("done")
    kinds = [envelope["event"]["type"] for envelope in heard]
    assert kinds[:2] == ["start", "sources"] and kinds[2:-1] == ["delta"] * (len(kinds) - 3) and len(kinds) > 3
    assert [envelope["seq"] for envelope in heard] == list(range(1, len(heard) + 1))
    done = heard[-1]["event"]
    assert "330 metres" in done["answer"]
    assert done["answer"] == "".join(envelope["event"]["text"] for envelope in heard[2:-1])
    cited = done["citations"][0]
    assert cited["url"].startswith(f"/documents/{cited['document']}/?start={cited['start']}&end={cited['end']}")
    assert TOWER[cited["start"]:cited["end"]] == cited["quote"]
    answer = await Message.objects.aget(pk=heard[0]["message"])
    assert (answer.status, answer.text, answer.payload) == ("done", done["answer"], done)
    assert heard[0]["event"]["question"]["text"] == "How tall is the Eiffel Tower?"
    assert heard[0]["event"]["title"] == "How tall is the Eiffel Tower?"


async def test_a_follow_up_is_asked_with_what_the_conversation_is_about(connect, library, alice):
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    first = (await socket.hear_until("done"))[-1]
    await socket.ask("And who designed it?", conversation=first["conversation"])
    second = (await socket.hear_until("done"))[-1]
    assert second["conversation"] == first["conversation"]
    assert "Eiffel Tower" in second["event"]["question"]


async def test_a_question_is_asked_of_the_chosen_collections_only(connect, library, alice):
    other = await sync_to_async(add_collection)(alice, "Other", bridge=BRIDGE)
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?", collections=[str(other.pk)])
    heard = await socket.hear_until("done")
    assert {source["title"] for source in heard[1]["event"]["sources"]} == {"The Golden Gate Bridge"}


async def test_the_same_key_twice_is_asked_once(connect, library, alice):
    socket = await connect(alice)
    for _time in range(2):
        await socket.say(type="ask", key="the-same-key", question="How tall is the Eiffel Tower?")
        heard = await socket.hear_until("done")
    assert heard[-1]["event"]["answer"]
    assert await Message.objects.filter(role="question").acount() == 1
    assert await Message.objects.filter(role="answer").acount() == 1
    assert await Conversation.objects.acount() == 1


async def test_the_same_key_while_the_answer_is_in_the_making_follows_that_answer(connect, library, models, alice):
    first, second = await connect(alice), await connect(alice)
    with models.frozen():
        for socket in (first, second):
            await socket.say(type="ask", key="the-same-key", question="How tall is the Eiffel Tower?")
        started = [(await socket.hear())["message"] for socket in (first, second)]
        assert started[0] == started[1]
    answers = [(await socket.hear_until("done"))[-1] for socket in (first, second)]
    assert answers[0] == answers[1]
    assert await Message.objects.acount() == 2


async def test_what_is_known_is_sent_while_the_rest_is_still_computed(connect, library, models, alice):
    socket = await connect(alice)
    with models.frozen():
        await socket.ask("How tall is the Eiffel Tower?")
        assert (await socket.hear())["event"]["type"] == "start"
        assert await socket.is_silent()
    assert (await socket.hear())["event"]["type"] == "sources"
    await socket.hear_until("done")


async def test_a_collection_that_is_deleted_while_it_is_asked_is_left_out(connect, library, models, alice):
    socket = await connect(alice)
    with models.frozen():
        await socket.ask("How tall is the Eiffel Tower?")
        await socket.hear()
        await sync_to_async(knowledge.delete_collection)(library)
    done = (await socket.hear_until("done"))[-1]["event"]
    assert done["abstained"] and not done["nearest"]


async def test_a_question_of_a_collection_that_has_since_been_deleted_is_not_asked_of_the_others(
    connect, library, alice
):
    other = await sync_to_async(add_collection)(alice, "Other", bridge=BRIDGE)
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?", collections=[str(other.pk)])
    answer = (await socket.hear_until("done"))[-1]["message"]
    await sync_to_async(knowledge.delete_collection)(other)
    await socket.say(type="regenerate", key="once-more", message=answer)
    assert (await socket.hear_until("done"))[-1]["event"]["nearest"] == []


async def test_an_answer_that_nobody_waits_for_is_finished_and_saved(connect, library, models, alice):
    from webapp.chat import producer

    socket = await connect(alice)
    with models.frozen():
        await socket.ask("How tall is the Eiffel Tower?")
        answer = (await socket.hear())["message"]
        await socket.leave()
        task = producer._running[answer].task
    await task
    assert (await Message.objects.aget(pk=answer)).status == "done"


async def test_a_service_that_stays_away_gives_a_retryable_error_that_is_saved_and_can_be_tried_again(
    connect, library, models, alice, settings, monkeypatch
):
    from webapp.chat import answering

    socket = await connect(alice)
    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.3)
    answering.model_service.cache_clear()
    await socket.ask("How tall is the Eiffel Tower?")
    assert (await socket.hear())["event"]["type"] == "start"
    failed = await socket.hear()
    assert failed["event"]["type"] == "error"
    assert (failed["event"]["code"], failed["event"]["retryable"]) == ("unavailable", True)
    row = await Message.objects.aget(pk=failed["message"])
    assert (row.status, row.payload) == ("failed", failed["event"])
    settings.MODELS_SERVICE_URLS = [models.url]
    answering.model_service.cache_clear()
    await socket.say(type="regenerate", key="try-again", message=row.pk)
    assert "330 metres" in (await socket.hear_until("done"))[-1]["event"]["answer"]
