"""One log line a request, from the web request's id to the engine's times, and what a monitor can see."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from models_service import request_log, trace
from models_service.client import ModelService
from models_service.errors import ModelsError
from models_service.protocol import ErrorEvent, ReadRequest
from models_service.server import Connection
from tests.models_service.conftest import ServiceProcess
from webapp.ops.request_id import RequestId

SECRET = "What is the combination of the safe?"


async def test_a_request_is_one_line_with_the_sites_id_times_and_outcome_and_without_its_text(
    service: ServiceProcess,
) -> None:
    token = trace.current.set("web-request-7")
    try:
        async with ModelService([service.url]) as models:
            await models.read(SECRET, ["The safe is green."], client="42")
            with pytest.raises(ModelsError):
                await models.read("", [])
            with pytest.raises(ModelsError, match="no model named"):
                await models._ask(models._make(ReadRequest, question=SECRET, passages=["a"], model="x y"))
    finally:
        trace.current.reset(token)
    async with asyncio.timeout(30):
        while len(lines := [line for line in service.log().splitlines() if "trace=web-request-7" in line]) < 2:
            await asyncio.sleep(0.05)
    done, failed = (json.loads(line) for line in lines)
    assert (done["type"], done["outcome"], done["client"], done["model"]) == ("read", "done", "42", "wenda-reader")
    assert done["request_id"] == failed["request_id"] == "web-request-7" and done["part"] == "models"
    assert done["queue_ms"] >= 0 < done["compute_ms"] <= done["total_ms"]
    assert done["batch_size"] == 1 and done["version"].startswith("directory-")
    assert (failed["outcome"], failed["model"]) == ("not_found", "x y") and "compute_ms" not in failed
    assert "type=read outcome=done" in done["message"]
    assert "safe" not in service.log() and "combination" not in service.log()


async def test_queue_time_batch_size_tokens_and_memory_are_there_for_a_monitor(service: ServiceProcess) -> None:
    async with ModelService([service.url]) as models:
        await models.embed(["The safe is green.", "The safe is blue."])
    encoder = '{model="all-MiniLM-L6-v2"}'
    assert service.metric(f"wenda_models_queue_seconds_count{encoder}") >= 1
    assert service.metric(f"wenda_models_batch_pieces_sum{encoder}") >= 2
    assert service.metric(f"wenda_models_tokens_computed_total{encoder}") >= 12
    held = service.metric('wenda_models_memory_held_bytes{model="all-MiniLM-L6-v2@starter #1"}')
    assert 0 < held < service.metric("wenda_models_memory_limit_bytes")
    assert service.metric("process_resident_memory_bytes") > 0


async def test_a_request_that_is_cancelled_in_the_moment_it_comes_is_answered_all_the_same() -> None:
    connection = Connection(websocket=None, service=None)
    connection._receive('{"type": "embed", "id": "1", "texts": ["a"]}')
    connection._receive('{"type": "cancel", "id": "1"}')
    async with asyncio.timeout(10):
        event = await connection._outbox.get()
    assert (event.id, event.code) == ("1", "cancelled") and not connection._requests and connection._outbox.empty()


def test_whatever_a_client_sends_a_request_stays_one_line(caplog) -> None:
    request = ReadRequest(id="1", question="?", passages=["a"], client='a\nb "c" outcome=done')
    with caplog.at_level("INFO", "models_service.requests"):
        request_log.write(request, ErrorEvent(id="1", code="busy", message="no"), "busy", 0.5)
    [message] = caplog.messages
    assert message == 'type=read outcome=busy trace=- client="a\\nb \\"c\\" outcome=done" total_ms=500.0'


def test_the_id_of_a_web_request_goes_with_its_requests_to_models() -> None:
    def view(_):
        made = ModelService([])._make(ReadRequest, question="?", passages=["a"])
        return HttpResponse(made.trace)

    before = trace.current.get()
    request = RequestFactory().get("/", headers={"X-Request-Id": "from-the-proxy"})
    response = RequestId(view)(request)
    assert response.content == b"from-the-proxy" == response["X-Request-Id"].encode()
    assert trace.current.get() == before
