"""A question on a socket counts in the same quota as one that a program asks."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from tests.library import TOWER, add_collection
from webapp.limits import meter

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How tall is the Eiffel Tower?"


async def test_a_question_is_refused_on_a_socket_when_the_days_tokens_are_used_up(alice, connect, settings):
    settings.LIMITS = {**settings.LIMITS, "tokens_per_day": 5}
    await sync_to_async(meter.charge)(alice, 5)
    socket = await connect(alice)
    key = await socket.ask(QUESTION)
    refusal = await socket.hear()
    assert (refusal["code"], refusal["key"]) == ("busy", key)
    assert "5 tokens a day" in refusal["message"]


async def test_an_answer_on_a_socket_is_charged_and_its_slot_is_free_again(alice, connect, models):
    await sync_to_async(add_collection)(alice, "Towers", tower=TOWER)
    socket = await connect(alice)
    await socket.ask(QUESTION)
    await socket.hear_until("done")
    await socket.leave()
    used = {one.kind: one.used for one in await sync_to_async(meter.standings)(alice)}
    assert used["requests"] == 1 and used["tokens"] > 7 and used["at_once"] == 0
