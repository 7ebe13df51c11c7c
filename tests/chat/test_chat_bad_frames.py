"""What the chat's socket does with frames and people that it cannot serve; it stays open and loses nothing."""

from __future__ import annotations

import json

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore

from webapp.accounts.models import User
from webapp.chat.models import Conversation, Message, MessageRole
from webapp.knowledge.models import Collection
from webapp.sockets import flood

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "a-key-of-the-page"


@pytest.fixture
async def socket(connect, alice):
    return await connect(alice)


@pytest.fixture
async def bobs_conversation(bob):
    conversation = await Conversation.objects.acreate(owner=bob, title="secret")
    question = await Message.objects.acreate(conversation=conversation, role=MessageRole.QUESTION, key="k" * 8)
    answer = await Message.objects.acreate(
        conversation=conversation, role=MessageRole.ANSWER, parent=question, key="k" * 8, text="secret"
    )
    return conversation, question, answer


@pytest.mark.parametrize("frame", [
    "", "{", "[]", "null", '"ask"', "{}", '{"type": "sing"}', '{"type": "ask"}', "[" * 5000,
    '{"type": "ask", "key": "12345678", "question": "?", "and": 1}', '{"type": "resume", "message": "one"}',
    '{"type": "resume", "message": 1, "after": -1}',
])
async def test_a_frame_that_makes_no_sense_gets_an_error_and_the_socket_stays_open(socket, frame):
    await socket.say_text(frame)
    error = await socket.hear()
    assert (error["type"], error["code"], error["retryable"]) == ("error", "bad_request", False)
    assert error["message"]
    await socket.say(type="resume", message=1)
    assert (await socket.hear())["code"] == "not_found"


async def test_a_binary_frame_gets_an_error(socket):
    await socket.say_bytes(b"\x00\x01")
    assert (await socket.hear())["code"] == "bad_request"


async def test_a_frame_of_more_than_64_kilobytes_is_refused_with_its_key(socket):
    await socket.say(type="ask", key=KEY, question="汉" * 30_000)
    error = await socket.hear()
    assert (error["code"], error["key"]) == ("too_large", KEY)
    assert await Message.objects.acount() == 0


@pytest.mark.parametrize("question", ["", "   \n\t ", "\x00"])
async def test_an_empty_question_is_refused_with_its_key(socket, question):
    await socket.say(type="ask", key=KEY, question=question)
    error = await socket.hear()
    assert (error["code"], error["key"]) == ("bad_request", KEY)
    assert await Conversation.objects.acount() == 0


@pytest.mark.parametrize("length", [2_001, 50_000, 100_000])
async def test_a_question_that_is_too_long_is_refused_with_its_key(socket, length):
    await socket.say(type="ask", key=KEY, question="a" * length)
    error = await socket.hear()
    assert (error["code"], error["key"], error["retryable"]) == ("too_large", KEY, False)
    assert await Conversation.objects.acount() == 0


async def test_another_persons_conversation_question_and_answer_do_not_exist(socket, bobs_conversation):
    conversation, question, answer = bobs_conversation
    frames = [
        {"type": "ask", "key": KEY, "question": "What?", "conversation": str(conversation.pk)},
        {"type": "ask", "key": KEY, "question": "What?", "replaces": question.pk},
        {"type": "regenerate", "key": KEY, "message": answer.pk},
        {"type": "resume", "message": answer.pk},
        {"type": "cancel", "message": answer.pk},
    ]
    for frame in frames:
        await socket.say(**frame)
        error = await socket.hear()
        assert error["code"] == "not_found", frame
        assert "secret" not in json.dumps(error)
    assert await Message.objects.acount() == 2


@pytest.mark.parametrize("identifier", ["", "one", "%", "1" * 400, "00000000-0000-0000-0000-000000000000"])
async def test_a_conversation_or_collection_that_is_no_id_does_not_exist(socket, identifier):
    await socket.say(type="ask", key=KEY, question="What?", conversation=identifier)
    assert (await socket.hear())["code"] == "not_found"
    await socket.say(type="ask", key=KEY, question="What?", collections=[identifier])
    assert (await socket.hear())["code"] == "not_found"
    assert await Conversation.objects.acount() == 0


async def test_a_message_number_that_no_row_can_have_does_not_exist(socket):
    await socket.say(type="resume", message=10**30)
    assert (await socket.hear())["code"] == "not_found"


async def test_another_persons_collection_does_not_exist(socket, bob):
    private = await Collection.objects.acreate(owner=bob, name="private")
    await socket.say(type="ask", key=KEY, question="What?", collections=[str(private.pk)])
    assert (await socket.hear())["code"] == "not_found"


async def test_a_question_cannot_be_regenerated_nor_an_answer_edited(socket, alice):
    conversation = await Conversation.objects.acreate(owner=alice)
    question = await Message.objects.acreate(conversation=conversation, role=MessageRole.QUESTION, key=KEY)
    answer = await Message.objects.acreate(
        conversation=conversation, role=MessageRole.ANSWER, parent=question, key=KEY
    )
    await socket.say(type="regenerate", key="another-key", message=question.pk)
    assert (await socket.hear())["code"] == "not_found"
    await socket.say(type="ask", key="another-key", question="What?", replaces=answer.pk)
    assert (await socket.hear())["code"] == "not_found"


async def test_a_page_of_another_site_cannot_open_the_socket(connect, alice):
    with pytest.raises(ConnectionRefusedError):
        await connect(alice, headers=((b"origin", b"https://evil.example"),))


async def test_a_page_of_this_site_can_open_the_socket(connect, alice):
    await connect(alice, headers=((b"origin", b"http://localhost"),))


async def test_without_guests_a_stranger_is_told_to_sign_in_and_the_socket_closes(connect, settings):
    settings.GUESTS_MAY_CHAT = False
    socket = await connect()
    assert (await socket.hear())["code"] == "forbidden"
    assert await socket.hear_close() == 4401


async def test_a_guest_without_a_cookie_is_told_about_it(connect, settings):
    settings.GUESTS_MAY_CHAT = True
    socket = await connect()
    await socket.say(type="ask", key=KEY, question="What?")
    error = await socket.hear()
    assert (error["code"], error["key"]) == ("forbidden", KEY)
    assert await User.objects.acount() == 0


async def test_a_guest_is_known_by_the_browsers_session(connect, settings, redis_url):
    settings.GUESTS_MAY_CHAT = True
    session = SessionStore()
    session["visited"] = True
    await sync_to_async(session.save)()
    socket = await connect(session=session)
    await socket.say(type="cancel", message=1)
    assert (await socket.hear())["code"] == "not_found"
    guest = await User.objects.aget()
    assert guest.is_guest
    again = await connect(session=session)
    await again.say(type="cancel", message=1)
    assert (await again.hear())["code"] == "not_found"
    assert await User.objects.acount() == 1


async def test_an_account_that_is_closed_while_its_socket_is_open_may_no_longer_ask(connect, alice, settings):
    settings.GUESTS_MAY_CHAT = True
    socket = await connect(alice)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    await socket.say(type="ask", key=KEY, question="What?")
    assert (await socket.hear())["code"] == "forbidden"


async def test_errors_are_in_the_language_that_the_browser_asks_for(connect, alice):
    from django.utils import translation

    socket = await connect(alice, headers=((b"accept-language", b"zh-CN,zh;q=0.9"),))
    await socket.say_text("{")
    said = (await socket.hear())["message"]
    with translation.override("zh-hans"):
        assert said.startswith(translation.gettext("This message cannot be understood: %(why)s.").split("%")[0])


async def test_a_flood_of_frames_is_refused_once_and_then_ends_the_socket(socket):
    for _frame in range(flood.BURST + flood.MOST_REFUSED + 20):
        await socket.say_text("{")
    heard = [(await socket.hear())["code"] for _frame in range(flood.BURST + 1)]
    assert heard.count("bad_request") >= flood.BURST
    while "busy" not in heard:
        heard.append((await socket.hear())["code"])
    assert len(heard) < 2 * flood.BURST


def test_a_flood_is_forgiven_after_a_pause():
    now = [0.0]
    allowance = flood.Allowance(lambda: now[0])
    assert [allowance.spend() for _frame in range(flood.BURST + 1)] == [True] * flood.BURST + [False]
    assert allowance.is_first_refusal
    now[0] += 1 / flood.A_SECOND
    assert allowance.spend() and not allowance.spend()
    assert not allowance.is_first_refusal
    now[0] += 60
    assert all(allowance.spend() for _frame in range(flood.BURST))
