"""A site whose answers a text generator writes, as a person sees it: chips, marked sentences, a stop, a fallback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.openai_server import OpenAIServer, fails, hangs, says
from tests.running_site import Site
from webapp.ops.preflight import free_port

QUESTION = "How large can an uploaded file be?"


@pytest.fixture(scope="module")
def site(running_openai_server: OpenAIServer, tmp_path_factory) -> Iterator[Site]:
    """A site of its own, with the test's server as its generator."""
    running = Site(Path(tmp_path_factory.mktemp("writing-site")), free_port(), settings={
        "WENDA_GENERATOR_URL": running_openai_server.url, "WENDA_GENERATOR_MODEL": "m",
        "WENDA_GENERATOR_KEY": "secret-of-the-test",
    })
    try:
        running.start()
        yield running
        assert not any("secret-of-the-test" in line for line in running.lines)
    finally:
        running.stop()


def says_of(words: str, text: str):
    """A reply in which N is the number of the told passage that holds the words."""

    def reply(body):
        lines = body["messages"][-1]["content"].splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        number = next(each["number"] for each in told if words in each["text"])
        return says(*re.findall(r"\S+\s*", text.replace("[N]", f"[{number}]")))(body)

    return reply


def test_marks_are_chips_and_unsupported_sentences_are_marked(visit, openai_server) -> None:
    openai_server.replies = [says_of(
        "50 MB", "An uploaded file may have **up to 50 MB** [N].\n\n- Whales sing *loudly* at midnight [N].\n"
        '- <img src=x onerror="window.harmed=1"> `list[1]` is code.',
    )]
    visitor = visit()
    chat = ChatPage(visitor.page).open()
    expect(visitor.page.locator("#composer-foot")).to_contain_text("written by a text generator")
    answer = chat.ask(QUESTION).locator(".answer")
    text = answer.locator(".answer-text")
    expect(text.locator("strong")).to_have_text("up to 50 MB")
    chip = text.locator("p .chip")
    expect(chip).to_have_text("1")
    expect(chip).to_have_attribute("href", re.compile(r"^/documents/.+\?start=\d+&end=\d+"))
    expect(text.locator("p .unsupported")).to_have_count(0)
    whales = text.locator("li").first
    expect(whales.locator(".unsupported").first).to_contain_text("Whales sing")
    expect(whales.locator(".unsupported-note")).to_have_text("not supported")
    expect(whales.locator("em")).to_have_text("loudly")
    expect(text.locator("code")).to_have_text("list[1]")
    assert visitor.page.evaluate("window.harmed ?? null") is None
    expect(text.locator("img")).to_have_count(0)
    expect(answer.locator(".confidence")).to_contain_text("Sentences that the documents support")
    answer.locator(".sources > summary").click()
    expect(answer.locator(".source-list li")).to_have_count(1)
    expect(answer.locator(".source-list .quote")).to_contain_text("50 MB")
    visitor.screenshot("11-written")
    visitor.page.reload()
    expect(visitor.page.locator(".answer-text .chip").first).to_have_text("1")
    expect(visitor.page.locator(".unsupported-note").first).to_be_visible()


def test_the_text_grows_while_it_is_written_and_can_be_stopped(visit, openai_server) -> None:
    openai_server.replies = [hangs("An uploaded file ", "may have ")]
    chat = ChatPage(visit().page).open()
    exchange = chat.put(QUESTION)
    expect(exchange.locator(".answer-text")).to_contain_text("An uploaded file")
    chat.page.locator("#stop").click()
    expect(exchange.locator(".answer-stopped")).to_be_visible()
    expect(exchange.locator(".answer-text")).to_contain_text("An uploaded file")
    assert openai_server.closed_early.wait(20)


def test_when_the_generator_refuses_the_answer_is_quoted_and_the_page_says_so(visit, openai_server) -> None:
    openai_server.replies = [fails(401)]
    chat = ChatPage(visit().page).open()
    exchange = chat.ask(QUESTION)
    expect(exchange.locator(".answer-fallback")).to_be_visible()
    expect(exchange.locator(".answer-text")).to_contain_text("50 MB")
