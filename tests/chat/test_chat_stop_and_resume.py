"""Answers outlive their sockets, their processes and Redis; and end at once when they are stopped."""

from __future__ import annotations

import asyncio
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from redis import Redis

from tests.library import TOWER, add_collection
from webapp import cancelling, event_log
from webapp.chat import producer, records
from webapp.chat.models import Conversation, Message, MessageRole, MessageStatus
from webapp.ops import embedded_redis
from webapp.production import stopping
from webapp.production.lease import Lease
from webapp.settings.places import redis_socket

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How tall is the Eiffel Tower?"


@pytest.fixture
async def library(models, redis_url, alice):
    return await sync_to_async(add_collection)(alice, tower=TOWER)


@pytest.fixture
async def orphan(library, alice) -> Message:
    """An answer whose producer's process died: a running row that no lease covers."""
    conversation = await Conversation.objects.acreate(owner=alice, title=QUESTION)
    question = await Message.objects.acreate(
        conversation=conversation, role=MessageRole.QUESTION, key="the-key-of-it", text=QUESTION
    )
    return await Message.objects.acreate(
        conversation=conversation, role=MessageRole.ANSWER, parent=question, key="the-key-of-it",
        status=MessageStatus.RUNNING,
    )


@asynccontextmanager
async def redis_client():
    async with event_log.async_redis() as redis:
        yield redis


async def test_stop_ends_the_answer_and_the_work_on_the_model_service(connect, library, models, alice):
    from webapp.chat import answering

    socket = await connect(alice)
    await answering.model_service().embed(["connected before it is frozen"])
    links = answering.model_service()._pool()._links.values()
    with models.frozen():
        await socket.ask(QUESTION)
        answer = (await socket.hear())["message"]
        task = producer._running[answer].task
        async with asyncio.timeout(20):
            while [link.load for link in links] != [1]:
                await asyncio.sleep(0.01)
        await socket.say(type="cancel", message=answer)
        last = await socket.hear()
        assert last["event"] == {"type": "error", "code": "cancelled", "message": "Stopped.", "retryable": True}
        await task
    row = await Message.objects.aget(pk=answer)
    assert (row.status, row.payload) == ("stopped", last["event"])
    assert [link.load for link in links] == [0]


async def test_a_stopped_answer_keeps_what_was_said_and_where_it_came_from(connect, library, alice, monkeypatch):
    from models_service.protocol import DeltaEvent
    from qa import answer as qa_answer

    real, said = qa_answer.answer, asyncio.Event()

    async def pausing_before_its_end(*args, **options):
        async for event in real(*args, **options):
            yield event
            if isinstance(event, DeltaEvent):
                said.set()
                await asyncio.Event().wait()

    monkeypatch.setattr(qa_answer, "answer", pausing_before_its_end)
    socket = await connect(alice)
    await socket.ask(QUESTION)
    heard = await socket.hear_until("delta")
    await said.wait()
    await socket.say(type="cancel", message=heard[0]["message"])
    assert (await socket.hear())["event"]["code"] == "cancelled"
    row = await Message.objects.aget(pk=heard[0]["message"])
    assert row.text == heard[-1]["event"]["text"]
    assert row.payload["sources"] == heard[1]["event"]["sources"]


async def test_a_stop_from_another_process_reaches_the_producer(connect, library, models, alice):
    socket = await connect(alice)
    with models.frozen():
        await socket.ask(QUESTION)
        answer = (await socket.hear())["message"]
        production = producer._running.pop(answer)  # this process does not know of it now, as another would not
        await producer.stop(answer)
        await production.task
    assert (await Message.objects.aget(pk=answer)).status == "stopped"


async def test_stopping_an_answer_whose_process_has_died_saves_it_as_stopped(connect, orphan, alice):
    socket = await connect(alice)
    await socket.say(type="cancel", message=orphan.pk)
    await socket.say(type="resume", message=orphan.pk)
    assert [(await socket.hear())["event"]["type"] for _event in range(2)] == ["start", "error"]
    await orphan.arefresh_from_db()
    assert orphan.status == "stopped"


async def test_a_finished_answer_that_is_stopped_stays_as_it_is(connect, library, alice):
    socket = await connect(alice)
    await socket.ask(QUESTION)
    answer = (await socket.hear_until("done"))[-1]["message"]
    await socket.say(type="cancel", message=answer)
    await socket.say(type="resume", message=answer)
    assert (await socket.hear_until("done"))[-1]["event"]["answer"]
    assert (await Message.objects.aget(pk=answer)).status == "done"


async def test_a_page_that_reloads_in_the_middle_gets_the_events_after_the_last_it_saw(
    connect, library, models, alice
):
    first = await connect(alice)
    with models.frozen():
        await first.ask(QUESTION)
        answer = (await first.hear())["message"]
        await first.leave()
        second = await connect(alice)
        await second.say(type="resume", message=answer, after=1)
        assert await second.is_silent()
    heard = await second.hear_until("done")
    assert [envelope["seq"] for envelope in heard] == list(range(2, len(heard) + 2))
    assert heard[0]["event"]["type"] == "sources"


async def test_a_page_that_reloads_after_the_end_gets_the_events_that_it_missed(connect, library, alice):
    socket = await connect(alice)
    await socket.ask(QUESTION)
    heard = await socket.hear_until("done")
    for after in (0, 2, len(heard) - 1):
        await socket.say(type="resume", message=heard[0]["message"], after=after)
        assert await socket.hear_until("done") == heard[after:]


async def test_the_end_of_an_answer_comes_from_its_row_when_its_events_are_gone(connect, library, redis_url, alice):
    socket = await connect(alice)
    await socket.ask(QUESTION)
    heard = await socket.hear_until("done")
    Redis.from_url(redis_url).flushall()
    await socket.say(type="resume", message=heard[0]["message"], after=0)
    from_row = await socket.hear_until("done")
    assert [envelope["event"] for envelope in from_row] == [heard[0]["event"], heard[-1]["event"]]
    await socket.say(type="resume", message=heard[0]["message"], after=40)
    [last] = await socket.hear_until("done")
    assert (last["seq"], last["event"]) == (41, heard[-1]["event"])


async def test_an_answer_whose_process_died_is_taken_over_and_its_numbers_go_on(connect, orphan, alice):
    async with redis_client() as redis:
        for number, event in enumerate(({"type": "start"}, {"type": "sources", "sources": []}), start=1):
            await event_log.append(redis, producer.log_name(orphan.pk), number, event)
    socket = await connect(alice)
    await socket.say(type="resume", message=orphan.pk, after=2)
    heard = await socket.hear_until("done")
    assert [envelope["event"]["type"] for envelope in heard[:2]] == ["start", "sources"]
    assert [envelope["seq"] for envelope in heard] == list(range(3, len(heard) + 3))
    await orphan.arefresh_from_db()
    assert (orphan.status, orphan.text) == ("done", heard[-1]["event"]["answer"])
    assert await Message.objects.acount() == 2


async def test_two_pages_that_find_the_same_dead_answer_get_one_answer(connect, orphan, alice):
    sockets = [await connect(alice) for _page in range(3)]
    for socket in sockets:
        await socket.say(type="resume", message=orphan.pk)
    heard = [await socket.hear_until("done") for socket in sockets]
    assert heard[0] == heard[1] == heard[2]
    assert [envelope["event"]["type"] for envelope in heard[0]].count("start") == 1


async def test_an_answer_that_another_process_is_at_is_left_to_it(connect, orphan, alice):
    async with redis_client() as redis:
        other = Lease(redis, f"answer:{orphan.pk}", "another process")
        assert await other.hold()
        socket = await connect(alice)
        await socket.say(type="resume", message=orphan.pk)
        assert await socket.is_silent()
        assert orphan.pk not in producer._running
        await other.release()  # as it would end by itself, the process being dead
        await socket.hear_until("done")


async def test_whoever_has_lost_the_lease_neither_sends_nor_saves(orphan, models):
    with models.frozen():
        producer.start(orphan.pk)
        production = producer._running[orphan.pk]
        async with redis_client() as redis:
            while await event_log.last_number(redis, producer.log_name(orphan.pk)) < 1:
                await asyncio.sleep(0.01)
            await redis.set(Lease(redis, f"answer:{orphan.pk}")._key, "another process")
    await production.task
    await orphan.arefresh_from_db()
    assert orphan.status == "running"


async def test_a_process_that_is_shut_down_lets_go_of_its_answers(orphan, models):
    with models.frozen():
        producer.start(orphan.pk)
        task = producer._running[orphan.pk].task
        async with redis_client() as redis:
            while await event_log.last_number(redis, producer.log_name(orphan.pk)) < 1:
                await asyncio.sleep(0.01)
            await cancelling.end(task)
            assert not await Lease(redis, f"answer:{orphan.pk}").is_held()
    await orphan.arefresh_from_db()
    assert orphan.status == "running"


async def test_an_answers_end_is_saved_once(orphan):
    assert await records.save(orphan.pk, records.stopped("as far as it came"))
    assert not await records.save(orphan.pk, records.stopped("once more"))
    await orphan.arefresh_from_db()
    assert orphan.text == "as far as it came"


async def test_a_conversation_that_is_deleted_in_the_middle_ends_its_answer(connect, library, models, alice):
    from webapp.chat import services

    socket = await connect(alice)
    with models.frozen():
        await socket.ask(QUESTION)
        answer = (await socket.hear())["message"]
        task = producer._running[answer].task
        await sync_to_async(services.delete)(await Conversation.objects.aget())
        await task
        assert (await socket.hear())["event"]["code"] == "not_found"
    assert await Message.objects.acount() == 0


async def test_a_new_answer_is_produced_saved_and_shown_while_redis_is_away(
    connect, library, alice, settings, tmp_path
):
    socket = await connect(alice)
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens-here.sock"
    await socket.ask(QUESTION)
    heard = await socket.hear_until("done")
    assert [envelope["event"]["type"] for envelope in heard] == ["start", "done"]
    assert (await Message.objects.aget(pk=heard[0]["message"])).payload == heard[-1]["event"]


async def test_redis_that_is_killed_and_comes_back_in_the_middle_loses_nothing(
    connect, library, models, alice, settings, tmp_path_factory
):
    data = tmp_path_factory.mktemp("r")
    settings.REDIS_URL = f"unix://{redis_socket(data)}"
    processes = [_redis(data)]
    try:
        socket = await connect(alice)
        with models.frozen():
            await socket.ask(QUESTION)
            answer = (await socket.hear())["message"]
            processes[0].kill()
            processes[0].wait()
            assert not embedded_redis.answers(settings.REDIS_URL)
            processes.append(_redis(data))
        heard = await socket.hear_until("done")
        seen = [1] + [envelope["seq"] for envelope in heard]
        assert seen == sorted(set(seen))
        row = await Message.objects.aget(pk=answer)
        assert (row.status, row.payload) == ("done", heard[-1]["event"])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _redis(data: Path) -> subprocess.Popen[bytes]:
    """A Redis of this test's own, ready."""
    process = subprocess.Popen(embedded_redis.command(data), stdout=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not embedded_redis.answers(f"unix://{redis_socket(data)}"):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    return process


async def test_a_stop_that_cannot_reach_the_producer_says_to_try_again(connect, orphan, alice, settings, tmp_path):
    socket = await connect(alice)
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens-here.sock"
    await socket.say(type="cancel", message=orphan.pk)
    error = await socket.hear()
    assert (error["code"], error["retryable"]) == ("unavailable", True)


async def test_a_stop_waits_for_a_producer_that_is_just_beginning(redis_url):
    async with redis_client() as redis:
        await stopping.ask_to_stop(redis, "answer:7")
        assert await stopping.asked_to_stop(redis, "answer:7", wait_seconds=5)
        assert not await stopping.asked_to_stop(redis, "answer:7", wait_seconds=0.05)
