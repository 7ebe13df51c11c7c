"""The chat of a site with a text generator: the real model service in front of a real OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import Client

from tests.library import BRIDGE, TOWER, add_collection
from tests.model_service import RunningModels, running_models
from tests.openai_server import OpenAIServer, breaks, fails, hangs, says
from webapp.chat import answering
from webapp.chat.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "The tower is **330 metres** tall [1]. Everybody there eats cheese."


@pytest.fixture(scope="module")
def writing_process(running_openai_server: OpenAIServer) -> Iterator[RunningModels]:
    with running_models(WENDA_GENERATOR_URL=running_openai_server.url, WENDA_GENERATOR_MODEL="m") as running:
        yield running


@pytest.fixture
async def library(writing_process, openai_server, redis_url, alice, settings):
    settings.MODELS_SERVICE_URLS = [writing_process.url]
    settings.HAS_GENERATOR = True
    answering.model_service.cache_clear()
    yield await sync_to_async(add_collection)(alice, tower=TOWER, bridge=BRIDGE)
    answering.model_service.cache_clear()


async def test_a_written_answer_arrives_piece_by_piece_and_is_saved_with_what_was_checked(
    connect, library, alice, openai_server
):
    openai_server.replies = [says("The tower is ", "**330 metres** ", "tall [1]. ", "Everybody there eats cheese.")]
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    heard = await socket.hear_until("done")
    done = heard[-1]["event"]
    pieces = [each["event"]["text"] for each in heard if each["event"]["type"] == "delta"]
    assert done["answer"] == SAID == "".join(pieces)
    assert (done["format"], done["verification"]["method"]) == ("markdown", "generator")
    assert done["verification"]["unsupported"] == [[SAID.index("Everybody"), len(SAID)]]
    [cited] = done["citations"]
    assert cited["mark"] == 1 and cited["url"].startswith(f"/documents/{cited['document']}/?start=")
    assert cited["quote"] in (TOWER, BRIDGE) or cited["quote"] in TOWER
    saved = await Message.objects.aget(pk=heard[0]["message"])
    assert (saved.status, saved.text, saved.payload) == ("done", SAID, done)


async def test_stopping_keeps_what_was_written_and_stops_the_server(connect, library, alice, openai_server):
    openai_server.replies = [hangs("The tower is ")]
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    heard = await socket.hear_until("delta")
    await socket.say(type="cancel", message=heard[0]["message"])
    last = await socket.hear()
    assert (last["event"]["type"], last["event"]["code"]) == ("error", "cancelled")
    assert await asyncio.to_thread(openai_server.closed_early.wait, 20)
    saved = await Message.objects.aget(pk=heard[0]["message"])
    assert (saved.status, saved.text.strip()) == ("stopped", "The tower is")


async def test_a_generator_that_breaks_off_in_the_middle_leaves_its_text_and_a_sentence(
    connect, library, alice, openai_server
):
    openai_server.replies = [breaks("The tower is ")]
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    heard = [await socket.hear()]
    while heard[-1]["event"]["type"] != "error":
        heard.append(await socket.hear())
    assert (heard[-1]["event"]["code"], heard[-1]["event"]["retryable"]) == ("unavailable", True)
    saved = await Message.objects.aget(pk=heard[0]["message"])
    assert saved.status == "failed" and saved.text.strip() == "The tower is"


async def test_without_its_generator_the_site_quotes(connect, library, alice, openai_server):
    openai_server.replies = [fails(401)]
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    done = (await socket.hear_until("done"))[-1]["event"]
    assert "330 metres" in done["answer"] and "WENDA_GENERATOR_KEY" in done["verification"]["fallback"]


async def test_the_next_question_is_asked_with_what_was_said(connect, library, alice, openai_server):
    openai_server.replies = [says(SAID)]
    socket = await connect(alice)
    await socket.ask("How tall is the Eiffel Tower?")
    first = (await socket.hear_until("done"))[-1]
    await socket.ask("And who designed it?", conversation=first["conversation"])
    await socket.hear_until("done")
    told = openai_server.seen[-1]["messages"]
    assert [each["role"] for each in told] == ["system", "user", "assistant", "user"]
    assert told[2]["content"].startswith("The tower is **330 metres** tall.")


def test_the_command_asks_the_generator_where_no_model_service_runs(
    models, redis_url, alice, openai_server, settings, monkeypatch, capsys
):
    add_collection(alice, tower=TOWER)
    settings.MODELS_SERVICE_URLS, settings.HAS_GENERATOR = [], True
    monkeypatch.setenv("WENDA_GENERATOR_URL", openai_server.url)
    monkeypatch.setenv("WENDA_GENERATOR_MODEL", "m")
    openai_server.replies = [says("The tower is 330 metres tall [1].")]
    call_command("ask", "How tall is the Eiffel Tower?", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["answer"] == "The tower is 330 metres tall [1]." and said["verification"]["method"] == "generator"


@pytest.mark.parametrize(("generator", "mode"), [(True, "written by a text generator"), (False, "are quoted")])
def test_the_page_says_which_mode_the_site_is_in(alice, settings, generator, mode):
    settings.HAS_GENERATOR = generator
    client = Client()
    client.force_login(alice)
    assert mode in client.get("/").content.decode()


def test_a_promoted_generator_changes_the_mode_at_once_and_is_asked_where_nothing_runs(
    models, redis_url, alice, settings, tiny_generator, capsys
):
    add_collection(alice, tower=TOWER)
    client = Client()
    client.force_login(alice)
    call_command("models", "register", str(tiny_generator), "--name", "tiny-writer")
    assert "are quoted" in client.get("/").content.decode()
    settings.MODELS_SERVICE_URLS = []
    call_command("models", "promote", "tiny-writer")
    assert "written by a text generator" in client.get("/").content.decode()
    capsys.readouterr()
    call_command("ask", "How tall is the Eiffel Tower?", "--json")
    said = json.loads(capsys.readouterr().out)
    assert "330 metres" in said["answer"], "the prompt is too long for this generator, so the answer is quoted"
    assert "tokens" in said["verification"]["fallback"]
