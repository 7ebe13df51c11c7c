"""The generator behind an OpenAI-compatible server: against a real server that behaves, hangs, breaks and refuses."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from models_service.engines.generating import Finish, Generation, Said, TokenChance
from models_service.engines.remote import RemoteGenerator, RemoteServer
from models_service.errors import ModelsError
from tests.openai_server import KEY, OpenAIServer, breaks, event, events, fails, hangs, says
from webapp.ops.preflight import free_port

ASKED = Generation(messages=(Said("system", "Be brief."), Said("user", "Hello?")), max_tokens=20, temperature=0.0)


@pytest.fixture
async def generator(openai_server: OpenAIServer) -> AsyncIterator[RemoteGenerator]:
    made = RemoteGenerator(RemoteServer(openai_server.url, "m", KEY), first_pause_seconds=0.01)
    yield made
    await made.close()


async def _all(generator: RemoteGenerator, given: Generation = ASKED) -> list[str | Finish]:
    async with aclosing(generator.stream(given)) as pieces, asyncio.timeout(30):
        return [piece async for piece in pieces]


async def test_the_text_comes_in_pieces_with_its_end_and_its_tokens(generator, openai_server) -> None:
    openai_server.replies = [says("It was ", "finished ", "in 1889. 你好 🙂")]
    assert await _all(generator) == ["It was ", "finished ", "in 1889. 你好 🙂", Finish("stop", 7, 3)]


async def test_the_server_is_asked_with_all_settings_and_the_key(generator, openai_server) -> None:
    await _all(generator, Generation(
        messages=ASKED.messages, max_tokens=9, temperature=0.5, top_p=0.9, top_k=40, stop=("\n\n",), seed=3,
    ))
    sent = openai_server.seen[0]
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    settings = {"model": "m", "stream": True, "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
                "stop": ["\n\n"], "seed": 3}
    assert sent.items() >= settings.items()
    assert openai_server.authorizations == [f"Bearer {KEY}"]


async def test_what_was_not_asked_for_is_not_sent(generator, openai_server) -> None:
    await _all(generator)
    assert not {"top_k", "stop", "seed", "prompt", "logprobs", "top_logprobs"} & openai_server.seen[0].keys()


@pytest.mark.parametrize(("given", "told", "sent"), [
    ({"messages": ASKED.messages}, {"content": [
        {"token": "It", "logprob": -0.5, "bytes": [73], "top_logprobs": [{"token": "It", "logprob": -0.5}]},
        {"token": " is", "logprob": -math.inf, "top_logprobs": []},
    ]}, {"logprobs": True, "top_logprobs": 1}),
    ({"prompt": "So"}, {"tokens": ["It", " is"], "token_logprobs": [-0.5, -math.inf], "text_offset": [0, 2],
                        "top_logprobs": [{"It": -0.5}, None]}, {"logprobs": 1}),
])
async def test_how_likely_the_tokens_were_is_asked_for_and_told(generator, openai_server, given, told, sent) -> None:
    chat = "messages" in given
    said = {"delta": {"content": "It is"}} if chat else {"text": "It is"}
    choice = {"index": 0, "finish_reason": None, "logprobs": told, **said}
    first = f"data: {json.dumps({'choices': [choice]})}\n\n"
    openai_server.replies = [events(first, event("", "stop", chat=chat))]
    assert await _all(generator, Generation(**given, max_tokens=9, logprobs=1)) == ["It is", Finish(
        "stop", logprobs=(TokenChance("It", -0.5, (("It", -0.5),)), TokenChance(" is", -9999.0)))]
    assert openai_server.seen[0].items() >= sent.items()


async def test_a_server_that_tells_no_likelihoods_or_wrong_ones(generator, openai_server) -> None:
    given = Generation(messages=ASKED.messages, logprobs=0)
    assert (await _all(generator, given))[-1].logprobs is None
    for wrong in (
        {"content": [{"token": "x"}]}, {"content": [{"token": "x", "logprob": -(10**400)}]},
        {"tokens": ["x"], "token_logprobs": []}, [1], "x",
    ):
        choice = {"delta": {"content": "x"}, "logprobs": wrong}
        openai_server.replies = [events(f"data: {json.dumps({'choices': [choice]})}\n\n")]
        with pytest.raises(ModelsError, match="not of the protocol"):
            await _all(generator, given)


async def test_a_bare_prompt_is_written_on(generator, openai_server) -> None:
    openai_server.replies = [says(" upon a time", finish="length")]
    assert await _all(generator, Generation(prompt="Once")) == [" upon a time", Finish("length", 7, 1)]
    assert openai_server.seen[0]["prompt"] == "Once" and "messages" not in openai_server.seen[0]


async def test_a_stream_cut_into_odd_pieces_gives_the_same_text(generator, openai_server) -> None:
    whole = ": a comment\n\n" + event("Grüße, 世界") + "event: x\r\n" + event("!", "stop").replace("\n", "\r\n")
    data = whole.encode()
    openai_server.replies = [events(*(data[i : i + 1] for i in range(len(data))))]
    assert await _all(generator) == ["Grüße, 世界", "!", Finish("stop")]


async def test_closing_the_iterator_closes_the_connection(generator, openai_server) -> None:
    openai_server.replies = [hangs("Once")]
    async with aclosing(generator.stream(ASKED)) as pieces:
        assert await anext(pieces) == "Once"
    assert await asyncio.to_thread(openai_server.closed_early.wait, 20)


async def test_cancelling_the_task_closes_the_connection(generator, openai_server) -> None:
    openai_server.replies = [hangs("Once")]
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(generator.stream(ASKED)) as pieces:
            async for _ in pieces:
                begun.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), 20)
    task.cancel()
    assert await asyncio.to_thread(openai_server.closed_early.wait, 20)


async def test_a_failure_before_the_first_text_is_tried_again(generator, openai_server) -> None:
    openai_server.replies = [fails(503), breaks(), says("There.")]
    assert (await _all(generator))[0] == "There."
    assert len(openai_server.seen) == 3


async def test_after_three_failures_it_is_given_up(generator, openai_server) -> None:
    openai_server.replies = [fails(500)]
    with pytest.raises(ModelsError) as caught:
        await _all(generator)
    assert caught.value.code == "unavailable" and caught.value.retryable and len(openai_server.seen) == 3


async def test_a_stream_that_breaks_after_its_first_text_is_not_tried_again(generator, openai_server) -> None:
    openai_server.replies = [breaks("It was "), says("Something else.")]
    pieces = []
    with pytest.raises(ModelsError) as caught:
        async for piece in generator.stream(ASKED):
            pieces.append(piece)
    assert pieces == ["It was "] and len(openai_server.seen) == 1
    assert caught.value.code == "unavailable" and caught.value.retryable


async def test_a_server_that_goes_silent_is_given_up(openai_server) -> None:
    openai_server.replies = [hangs("Once")]
    impatient = RemoteGenerator(RemoteServer(openai_server.url, "m"), silence_seconds=0.2)
    with pytest.raises(ModelsError, match="in time"):
        await _all(impatient)
    await impatient.close()
    assert openai_server.authorizations == [""]


@pytest.mark.parametrize(
    ("reply", "code", "retryable", "words"),
    [
        (fails(401, f"Incorrect API key provided: {KEY}"), "unavailable", False, "WENDA_GENERATOR_KEY"),
        (fails(403), "unavailable", False, "WENDA_GENERATOR_KEY"),
        (fails(404, "The model `m` does not exist."), "not_found", False, "WENDA_GENERATOR_MODEL"),
        (fails(429, retry_after="7"), "busy", True, "too much to do"),
        (fails(413), "too_large", False, "more text"),
        (fails(400, "maximum context length"), "bad_request", False, "400"),
        (fails(307, location="http://elsewhere.invalid/"), "unavailable", False, "moved"),
    ],
)
async def test_a_refusal_is_said_clearly_and_not_tried_again(generator, openai_server, reply, code, retryable, words):
    openai_server.replies = [reply]
    with pytest.raises(ModelsError, match=words) as caught:
        await _all(generator)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert len(openai_server.seen) == 1
    if code == "busy":
        assert caught.value.retry_after_ms == 7000


@pytest.mark.parametrize(
    "reply",
    [
        events("data: {half\n\n"), events("data: [1]\n\n"), events("data: " + "[" * 100_000 + "\n\n"),
        events('data: {"choices": [{"delta": {"content": 7}}]}\n\n'), events('data: {"choices": [7]}\n\n'),
        events('data: {"choices": [{"message": "x"}]}\n\n'), events(event("", None)),
        events("data: [DONE]\n\n"), events("<html>", kind="text/html"), events("data: " + "x" * 1_100_000),
    ],
)
async def test_what_is_not_of_the_protocol_is_an_error(openai_server, reply) -> None:
    openai_server.replies = [reply]
    generator = RemoteGenerator(RemoteServer(openai_server.url, "m"), first_pause_seconds=0.001)
    with pytest.raises(ModelsError) as caught:
        await _all(generator)
    await generator.close()
    assert caught.value.code == "unavailable" and "not of the protocol" in caught.value.message


async def test_an_error_inside_the_stream_is_an_error(generator, openai_server) -> None:
    openai_server.replies = [events(event("It "), 'data: {"error": {"message": "out of memory"}}\n\n')]
    with pytest.raises(ModelsError, match="reported an error"):
        await _all(generator)


async def test_a_refused_connection_is_said_after_three_tries() -> None:
    nobody = RemoteGenerator(RemoteServer(f"http://127.0.0.1:{free_port()}/v1", "m"), first_pause_seconds=0.01)
    with pytest.raises(ModelsError, match="cannot be reached") as caught:
        await _all(nobody)
    await nobody.close()
    assert caught.value.retryable


async def test_the_key_is_in_no_log_and_in_no_error(generator, openai_server, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    openai_server.replies = [fails(401, f"Incorrect API key provided: {KEY}")]
    with pytest.raises(ModelsError) as caught:
        await _all(generator)
    openai_server.replies = [events(f"data: {KEY}\n\n")]
    with pytest.raises(ModelsError) as malformed:
        await _all(generator)
    assert "Incorrect API key" in caplog.text
    for text in (caplog.text, str(caught.value), str(malformed.value), repr(RemoteServer("http://x", "m", KEY))):
        assert KEY not in text


def test_no_address_in_the_environment_is_no_generator() -> None:
    assert RemoteServer.of({}) is None
    assert RemoteServer.of({"WENDA_GENERATOR_URL": " ", "WENDA_GENERATOR_KEY": "k"}) is None
    found = RemoteServer.of({"WENDA_GENERATOR_URL": "http://h/v1", "WENDA_GENERATOR_MODEL": "m"})
    assert found == RemoteServer("http://h/v1", "m")
