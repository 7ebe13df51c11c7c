"""Generated text through the real service process, from a real server: streaming, cancel, slow readers, kills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest
from websockets.asyncio.client import connect

from models_service.client import ModelsError, ModelService
from models_service.engines.remote import RemoteGenerator, RemoteServer
from models_service.in_process import InProcessModels
from models_service.protocol import ChatMessage, GenerateDone, GenerateRequest, Usage, parse_event
from tests.models_service.conftest import ServiceProcess
from tests.openai_server import OpenAIServer, breaks, fails, hangs, says

HELLO = [ChatMessage(role="user", content="Hello?")]
WRITING = 'wenda_models_texts_in_the_making{model="tiny"}'


@pytest.fixture(scope="module")
def writing_service(running_openai_server: OpenAIServer) -> Iterator[ServiceProcess]:
    service = ServiceProcess(
        None, WENDA_GENERATOR_URL=running_openai_server.url, WENDA_GENERATOR_MODEL="tiny", WENDA_GENERATOR_KEY="k",
    )
    service.start()
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture
async def models(writing_service, openai_server) -> AsyncIterator[ModelService]:
    if writing_service.process.poll() is not None:
        writing_service.start()
        await asyncio.to_thread(writing_service.wait_until_ready)
    async with ModelService([writing_service.url]) as client:
        yield client


async def _all(models, messages=HELLO, **settings) -> list[str | GenerateDone]:
    async with asyncio.timeout(60), aclosing(models.generate(messages, **settings)) as pieces:
        return [piece async for piece in pieces]


async def _becomes(service: ServiceProcess, line: str, value: float) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(service.metric, line) != value:
            await asyncio.sleep(0.05)


async def test_a_text_arrives_whole_with_its_end(models, openai_server) -> None:
    openai_server.replies = [says("It was ", "finished ", "in 1889.")]
    *pieces, done = await _all(models, max_tokens=20, temperature=0.3, stop=["\n"], seed=1)
    assert "".join(pieces) == done.text == "It was finished in 1889."
    assert (done.model, done.finish_reason) == ("tiny", "stop")
    assert done.usage == Usage(prompt_tokens=7, completion_tokens=3)
    assert 0 < done.timings.first_token_ms <= done.timings.compute_ms
    assert openai_server.seen[0].items() >= {"max_tokens": 20, "temperature": 0.3, "stop": ["\n"], "seed": 1}.items()
    assert openai_server.authorizations == ["Bearer k"]


async def test_the_first_piece_arrives_while_the_rest_is_still_being_written(models, openai_server) -> None:
    openai_server.replies = [hangs("Once")]
    async with aclosing(models.generate(HELLO)) as pieces, asyncio.timeout(60):
        assert await anext(pieces) == "Once"


async def test_closing_the_iterator_stops_the_server_and_frees_the_slot(models, openai_server, writing_service):
    openai_server.replies = [hangs("Once")]
    async with aclosing(models.generate(HELLO)) as pieces, asyncio.timeout(60):
        await anext(pieces)
        assert await asyncio.to_thread(writing_service.metric, WRITING) == 1
    assert await asyncio.to_thread(openai_server.closed_early.wait, 30)
    await _becomes(writing_service, WRITING, 0)


async def test_a_client_that_goes_away_stops_the_server(openai_server, models, writing_service) -> None:
    openai_server.replies = [hangs("Once")]
    async with connect(writing_service.url) as socket:
        await socket.send(GenerateRequest(id="1", messages=HELLO).model_dump_json(exclude_none=True))
        while parse_event.validate_json(await asyncio.wait_for(socket.recv(), 60)).type != "delta":
            pass
    assert await asyncio.to_thread(openai_server.closed_early.wait, 30)
    await _becomes(writing_service, WRITING, 0)


async def test_a_slow_reader_gets_all_of_it_and_holds_up_nobody(models, openai_server) -> None:
    words = [f"word{i} " for i in range(2000)]
    openai_server.replies = [says(*words), says("short")]
    async with aclosing(models.generate(HELLO)) as slow, asyncio.timeout(60):
        taken = [await anext(slow)]
        *_, done = await _all(models)
        assert done.text == "short"
        taken += [piece async for piece in slow]
    assert "".join(taken[:-1]) == "".join(words) == taken[-1].text
    assert len(taken) < 1000


async def test_many_texts_at_once_are_each_their_own(models, openai_server) -> None:
    openai_server.replies = [lambda body: says(*(body["messages"][0]["content"] + " ") * 20)(body)]
    asked = [[ChatMessage(role="user", content=f"number {i}")] for i in range(40)]
    ends = await asyncio.gather(*(_all(models, messages, client=str(i % 3)) for i, messages in enumerate(asked)))
    assert [end[-1].text for end in ends] == [f"number {i} " * 20 for i in range(40)]


async def test_it_is_sent_again_when_the_service_dies_before_the_first_text(models, openai_server, writing_service):
    openai_server.replies = [hangs(), says("There.")]
    asking = asyncio.create_task(_all(models))
    async with asyncio.timeout(60):
        while not openai_server.seen:
            await asyncio.sleep(0.02)
    writing_service.kill()
    writing_service.start()
    assert (await asking)[0] == "There."


async def test_a_service_that_dies_in_the_middle_is_an_error(models, openai_server, writing_service):
    openai_server.replies = [hangs("Once "), says("Another text.")]
    async with aclosing(models.generate(HELLO)) as pieces, asyncio.timeout(60):
        await anext(pieces)
        writing_service.kill()
        with pytest.raises(ModelsError, match="in the middle"):
            await anext(pieces)


@pytest.mark.parametrize(
    ("reply", "code"), [(fails(401), "unavailable"), (fails(404), "not_found"), (breaks("It "), "unavailable")],
)
async def test_what_the_server_refuses_is_told_the_client(models, openai_server, reply, code) -> None:
    openai_server.replies = [reply]
    with pytest.raises(ModelsError) as caught:
        await _all(models)
    assert caught.value.code == code


async def test_a_busy_server_is_asked_again_when_it_said(models, openai_server) -> None:
    openai_server.replies = [fails(429, retry_after="0.1"), says("Now.")]
    assert (await _all(models))[0] == "Now."


@pytest.mark.parametrize("wrong", [{"temperature": 3}, {"max_tokens": 0}, {"stop": [""]}, {"seed": -1}])
async def test_a_wrong_setting_is_refused_before_anything_is_sent(models, openai_server, wrong) -> None:
    with pytest.raises(ModelsError) as caught:
        await _all(models, **wrong)
    assert caught.value.code == "bad_request" and not openai_server.seen


async def test_without_a_generator_a_text_is_refused(service) -> None:
    async with ModelService([service.url]) as models:
        with pytest.raises(ModelsError, match="No text generator") as caught:
            await _all(models)
    assert caught.value.code == "not_found"


async def test_a_generator_in_this_process_gives_the_same(openai_server) -> None:
    openai_server.replies = [says("It was ", "1889.")]
    async with InProcessModels(generator=RemoteGenerator(RemoteServer(openai_server.url, "tiny"))) as models:
        *pieces, done = await _all(models)
    assert pieces == ["It was ", "1889."] and done.text == "It was 1889."
