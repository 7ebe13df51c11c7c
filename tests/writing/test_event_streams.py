"""Summaries and translations come over plain HTTP as server-sent events, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from tests.api.conftest import is_problem
from tests.library import TOWER
from webapp.accounts.services import create_api_key
from webapp.limits import meter

pytestmark = pytest.mark.django_db(transaction=True)


async def stream(user: Any, path: str, **body: Any) -> list[dict[str, Any]]:
    _row, secret = await sync_to_async(create_api_key)(user, "test")
    response = await AsyncClient().post(path, {**body, "stream": True}, content_type="application/json",
                                        headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 200 and response["Content-Type"] == "text/event-stream"
    text = b"".join([piece async for piece in response.streaming_content]).decode()
    events = []
    for part in text.removesuffix("\n\n").split("\n\n"):
        name, data = part.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


async def test_a_translation_is_streamed_and_its_slot_is_free_afterwards(translators, redis_url, alice):
    events = await stream(alice, "/api/v1/translate", text="Hello. The train is late.", source="en", target="de")
    assert events[0]["type"] == "start" and events[-1]["type"] == "done" and events[-1]["translation"]
    used = {one.kind: one.used for one in await sync_to_async(meter.standings)(alice)}
    assert used["at_once"] == 0 and used["tokens"] > 5


async def test_a_summary_is_streamed(models, redis_url, alice):
    events = await stream(alice, "/api/v1/summarize", text=TOWER, length="short")
    assert events[-1]["type"] == "done"
    assert "".join(event["text"] for event in events if event["type"] == "delta") == events[-1]["summary"]


def test_several_texts_cannot_be_streamed(program, alice):
    answer = program(alice).post("/api/v1/translate", {"text": ["a", "b"], "target": "de", "stream": True},
                                 content_type="application/json")
    is_problem(answer, 400)
