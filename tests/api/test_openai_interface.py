"""/v1/ as OpenAI's own Python client uses it: against a live server, with real models."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest
from django.test import Client

from models_service.engines.generating import Finish, Generation, Said
from models_service.engines.remote import RemoteGenerator, RemoteServer
from tests.library import BRIDGE, TOWER, add_collection
from tests.live_site import live_site
from tests.model_service import RunningModels, running_models
from tests.models_service.conftest import FAST_START
from tests.running_site import until
from webapp.api.openai import pieces
from webapp.chat import answering

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = [{"role": "user", "content": "How tall is the Eiffel Tower?"}]
WRITING = "wenda_models_texts_in_the_making"


@pytest.fixture(scope="module")
def models_process(small_generator: Path) -> Iterator[RunningModels]:
    """The starter models and the small generator."""
    with running_models(WENDA_GENERATOR=str(small_generator), OMP_NUM_THREADS="1", **FAST_START) as running:
        yield running


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with live_site() as address:
        yield address


@pytest.fixture
def key(alice) -> str:
    from webapp.accounts.services import create_api_key

    return create_api_key(alice, "test")[1]


@pytest.fixture
def client(models, redis_url, address: str, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0, timeout=120) as made:
        yield made


@pytest.fixture
def library(redis_url, models, alice):
    return add_collection(alice, "Towers", tower=TOWER, bridge=BRIDGE)


@pytest.fixture
def writer(settings, small_generator: Path) -> str:
    """The name of the generator, which the site now has."""
    settings.GENERATOR, settings.HAS_GENERATOR = str(small_generator), True
    return small_generator.name


@pytest.fixture
def nobody_serves(settings, monkeypatch) -> None:
    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.2)
    answering.model_service.cache_clear()


def test_a_fresh_site_answers_a_plain_client_from_its_documents(library, client) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "wenda" and len(names) == 3
    done = client.chat.completions.create(model=names[0], messages=ASKED)
    said = done.choices[0].message
    assert "330 metres" in said.content and said.role == "assistant"
    assert (done.object, done.model, done.choices[0].finish_reason) == ("chat.completion", "wenda", "stop")
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 10
    [cited] = [one for one in done.citations if "330" in one["quote"]]
    assert TOWER[cited["start"] : cited["end"]] == cited["quote"]
    [place] = [one.url_citation for one in said.annotations if "330" in said.content[one.url_citation.start_index :]]
    assert said.content[place.start_index : place.end_index] == cited["quote"] and place.url == cited["url"]
    assert httpx.URL(place.url).is_absolute_url and done.wenda["abstained"] is False


def test_what_the_documents_do_not_hold_is_said_and_told(library, client) -> None:
    asked = [{"role": "user", "content": "Which vitamin is made in the skin by sunlight?"}]
    done = client.chat.completions.create(model="wenda-reader", messages=asked)
    assert "do not hold" in done.choices[0].message.content
    assert done.wenda["abstained"] is True and done.wenda["nearest"] and done.citations == []


def test_a_streamed_answer_is_the_whole_one_in_pieces_with_its_citations_last(library, client) -> None:
    whole = client.chat.completions.create(model="wenda", messages=ASKED)
    chunks = list(client.chat.completions.create(
        model="wenda", messages=ASKED, stream=True, stream_options={"include_usage": True},
    ))
    assert chunks[0].choices[0].delta.role == "assistant" and len({chunk.id for chunk in chunks}) == 1
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    *_, last, told = chunks
    assert last.choices[0].finish_reason == "stop" and last.citations == whole.citations
    assert (told.choices, told.usage) == ([], whole.usage)


def test_a_follow_up_is_understood_from_the_messages_before_it(library, client) -> None:
    talk = [*ASKED, {"role": "assistant", "content": "The tower is 330 metres tall."},
            {"role": "user", "content": [{"type": "text", "text": "Who designed it?"}]}]
    done = client.chat.completions.create(model="wenda", messages=talk)
    assert "Maurice Koechlin" in done.choices[0].message.content


def test_collections_are_chosen_by_name_and_only_ones_own(library, client, alice, bob, redis_url) -> None:
    add_collection(alice, "Bridges", bridge=BRIDGE)
    add_collection(bob, "Secret", tower=TOWER)
    done = client.chat.completions.create(model="wenda", messages=ASKED, extra_body={"collections": ["Bridges"]})
    assert {one["title"] for one in done.citations + done.wenda["nearest"]} == {"The Golden Gate Bridge"}
    with pytest.raises(openai.NotFoundError, match="Secret"):
        client.chat.completions.create(model="wenda", messages=ASKED, extra_body={"collections": ["Secret"]})


def test_a_quoted_answer_keeps_to_stop_strings_and_length(library, client) -> None:
    stopped = client.chat.completions.create(model="wenda", messages=ASKED, stop=["330"], n=2)
    assert [choice.message.content for choice in stopped.choices] == ["The tower is "] * 2
    cut = client.chat.completions.create(model="wenda", messages=ASKED, max_completion_tokens=2).choices[0]
    assert (cut.message.content, cut.finish_reason) == ("The tower", "length")


def test_a_generator_chats_streamed_or_whole_the_same_with_a_seed(client, writer) -> None:
    assert writer in [model.id for model in client.models.list()]
    asked = {"model": writer, "messages": ASKED, "max_tokens": 24, "seed": 5, "temperature": 0.9}
    whole = client.chat.completions.create(**asked, n=2)
    one, other = (choice.message.content for choice in whole.choices)
    assert one != other and whole.usage.completion_tokens <= 48
    assert client.chat.completions.create(**asked).choices[0].message.content == one
    texts = {0: "", 1: ""}
    reasons = {}
    for chunk in client.chat.completions.create(**asked, n=2, stream=True):
        choice = chunk.choices[0]
        texts[choice.index] += choice.delta.content or ""
        reasons[choice.index] = choice.finish_reason or reasons.get(choice.index)
    assert texts == {0: one, 1: other}
    assert reasons == {choice.index: choice.finish_reason for choice in whole.choices}


def test_a_generator_tells_how_likely_its_tokens_were(client, writer) -> None:
    done = client.chat.completions.create(
        model=writer, messages=ASKED, max_tokens=5, temperature=0, logprobs=True, top_logprobs=3,
    )
    told = done.choices[0].logprobs.content
    assert "".join(one.token for one in told).startswith(done.choices[0].message.content[:10])
    for one in told:
        assert one.logprob == max(top.logprob for top in one.top_logprobs) <= 0 and len(one.top_logprobs) == 3


def test_completions_go_on_with_each_prompt(client, writer) -> None:
    prompts = ["A collection", "The answer", "Wenda", "To", "The setting", "A user may"]
    asked = {"model": writer, "prompt": prompts, "temperature": 0}
    done = client.completions.create(**asked)
    assert done.object == "text_completion" and [choice.index for choice in done.choices] == list(range(6))
    assert done.usage.completion_tokens <= 6 * 16
    assert [choice.text for choice in done.choices] == [
        client.completions.create(**{**asked, "prompt": prompt}).choices[0].text for prompt in prompts]
    echoed = client.completions.create(**asked, echo=True)
    assert [choice.text for choice in echoed.choices] == [
        prompt + choice.text for prompt, choice in zip(prompts, done.choices, strict=True)]
    # Which prompt it goes on after at length is a matter of how the small model was trained.
    prompt, written = max(zip(prompts, [choice.text for choice in done.choices], strict=True),
                          key=lambda pair: len(pair[1]))
    assert written
    stop = written[len(written) // 2 :][:3]
    cut = client.completions.create(**{**asked, "prompt": prompt}, stop=stop).choices[0]
    assert cut.text == written.split(stop)[0] and cut.finish_reason == "stop"
    streamed = client.completions.create(**{**asked, "prompt": prompt}, stream=True)
    assert "".join(piece.choices[0].text for piece in streamed) == written


def test_leaving_a_stream_frees_the_generator(client, writer, models_process) -> None:
    page = models_process.url.replace("ws://", "http://").replace("/ws", "/metrics")

    def in_the_making() -> float:
        with urllib.request.urlopen(page, timeout=5) as response:
            rows = [row for row in response.read().decode().splitlines() if row.startswith(WRITING + "{")]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows)

    stream = client.completions.create(model=writer, prompt="A", max_tokens=240, stream=True, seed=1)
    next(iter(stream))
    stream.close()
    until(lambda: in_the_making() == 0, what="the end of the text")


def test_embeddings_are_the_same_as_numbers_and_as_base64(client) -> None:
    texts = ["The tower is tall.", "Der Turm ist hoch."]
    plain = client.embeddings.create(model="all-MiniLM-L6-v2", input=texts, encoding_format="float")
    packed = client.embeddings.create(model="wenda", input=texts)
    assert [one.index for one in plain.data] == [0, 1] and plain.model == "all-MiniLM-L6-v2"
    vectors = np.array([one.embedding for one in plain.data])
    np.testing.assert_allclose(vectors, [one.embedding for one in packed.data], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors.shape == (2, 384) and plain.usage.prompt_tokens > 8
    assert client.embeddings.create(model="wenda", input="one").usage.prompt_tokens < plain.usage.prompt_tokens


def test_a_generator_elsewhere_may_be_another_sites_v1(client, writer, address, key) -> None:
    """The engine `remote` against a real server of this protocol."""
    async def write() -> tuple[str, Finish]:
        generator = RemoteGenerator(RemoteServer(f"{address}/v1", writer, key))
        given = Generation((Said("user", ASKED[0]["content"]),), max_tokens=24, temperature=0.9, seed=5, logprobs=2)
        async with aclosing(generator.stream(given)) as pieces:
            *said, finish = [piece async for piece in pieces]
        await generator.close()
        return "".join(said), finish

    whole = client.chat.completions.create(model=writer, messages=ASKED, max_tokens=24, temperature=0.9, seed=5,
                                           logprobs=True, top_logprobs=2)
    text, finish = asyncio.run(write())
    told = whole.choices[0].logprobs.content
    assert [one.token for one in finish.logprobs] == [one.token for one in told] != []
    assert [one.logprob for one in finish.logprobs] == pytest.approx([one.logprob for one in told], abs=1e-4)
    assert all(len(one.top) == 2 for one in finish.logprobs)
    assert text == whole.choices[0].message.content
    assert (finish.prompt_tokens, finish.completion_tokens) == (
        whole.usage.prompt_tokens, whole.usage.completion_tokens)


@pytest.mark.parametrize(("body", "param"), [
    ({"messages": []}, "messages"), ({"temperature": 3}, "temperature"), ({"n": 0}, "n"),
    ({"stop": ["x"] * 5}, "stop"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages"), ({"max_tokens": 0}, "max_tokens"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
    ({"messages": [{"role": "user", "content": " "}]}, "question"), ({"messages": None}, "messages"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"), ({"logit_bias": {"5": 1}}, "logit_bias"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"frequency_penalty": 1}, "frequency_penalty"),
])
def test_what_cannot_be_heeded_is_refused_with_the_field(client, body, param) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"model": "wenda", "messages": ASKED, **body}, cast_to=httpx.Response)
    error = caught.value.body
    assert error["param"].split(".")[0] == param and error["type"] == "invalid_request_error" and error["message"]


def test_tokens_instead_of_texts_are_refused_with_the_mend(client) -> None:
    with pytest.raises(openai.BadRequestError, match="Send texts, not tokens"):
        client.embeddings.create(model="wenda", input=[[1, 2, 3]])


@pytest.mark.parametrize("call", [
    lambda client: client.chat.completions.create(model="gpt-9", messages=ASKED),
    lambda client: client.embeddings.create(model="gpt-9", input="x"),
    lambda client: client.completions.create(model="all-MiniLM-L6-v2", prompt="x"),
    lambda client: client.models.retrieve("gpt-9"),
])
def test_a_model_that_there_is_not_is_not_found_and_the_others_are_named(client, call) -> None:
    with pytest.raises(openai.NotFoundError, match="there is: ") as caught:
        call(client)
    assert caught.value.code == "model_not_found"


def test_without_a_known_key_nothing_is_told(client, address, db) -> None:
    for key in ("nonsense", "sk-1234"):
        with pytest.raises(openai.AuthenticationError) as caught:
            client.with_options(api_key=key).models.list()
        assert caught.value.code == "invalid_api_key"
    for path in ("models", "models/wenda", "chat/completions", "nothing"):
        response = httpx.get(f"{address}/v1/{path}")
        assert response.status_code == 401 and response.json()["error"]["message"], path


def test_a_browsers_session_is_no_key(alice, db) -> None:
    browser = Client()
    browser.force_login(alice)
    assert browser.get("/v1/models").status_code == 401


def test_an_address_that_there_is_not_and_too_large_a_body_are_errors_of_the_same_shape(client, address, key) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    missing = httpx.post(f"{address}/v1/images/generations", headers=headers, json={})
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="wenda", messages=[{"role": "user", "content": "a" * 3_000_000}])
    assert caught.value.status_code == 413
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="wenda", messages=[{"role": "user", "content": "a" * 3_000}])
    assert caught.value.status_code == 413
    broken = httpx.post(f"{address}/v1/chat/completions", headers={**headers, "Content-Type": "application/json"},
                        content="{")
    assert broken.status_code == 400 and broken.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_service_that_stays_away_is_a_503(client, writer, nobody_serves, monkeypatch, stream):
    monkeypatch.setattr(pieces, "FIRST_LOOK_SECONDS", 60)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=writer, messages=ASKED, stream=stream)
    assert caught.value.status_code == 503 and caught.value.response.headers["Retry-After"]


def test_what_goes_wrong_later_in_a_stream_is_its_last_event(client, writer, nobody_serves, monkeypatch) -> None:
    monkeypatch.setattr(pieces, "FIRST_LOOK_SECONDS", 0)
    stream = client.chat.completions.create(model=writer, messages=ASKED, stream=True)
    with pytest.raises(openai.APIError, match="model service"):
        list(stream)
