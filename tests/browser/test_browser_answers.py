"""Answers in the making and after: reload, lost connection, stop, edit, once more, thumbs, conversations."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import CONVERSATION, ChatPage
from tests.library import BRIDGE, TOWER
from tests.running_site import Person, Site

QUESTION = "How tall is the Eiffel Tower?"


@pytest.fixture(scope="module")
def library(person: Person) -> str:
    """A collection that everyone at the site can ask; its name."""
    identifier = person.add_collection(tower=TOWER, bridge=BRIDGE)
    headers = {"X-CSRFToken": person.http.cookies["csrftoken"], "Referer": person.site.address}
    shared = person.http.patch(f"/api/v1/collections/{identifier}/", json={"visibility": "everyone"}, headers=headers)
    assert shared.status_code == 200, shared.text
    return shared.json()["name"]


@pytest.fixture
def reader(visit):
    return visit().sign_up()


@pytest.fixture
def chat(reader, library) -> ChatPage:
    return ChatPage(reader.page).open().choose(library)


def saved(chat: ChatPage) -> list[dict]:
    """The conversation's messages as the server has them."""
    identifier = chat.page.url.rstrip("/").split("/")[-1]
    answered = chat.page.evaluate("address => fetch(address).then((reply) => reply.json())",
                                  f"/api/v1/conversations/{identifier}/")
    return answered["messages"]


def test_a_reload_in_the_middle_of_an_answer_loses_and_doubles_nothing(reader, chat: ChatPage, site: Site) -> None:
    with site.frozen("models"):
        exchange = chat.put(QUESTION)
        chat.wait_for_begin(exchange)
        reader.screenshot("6-in-the-middle")
        chat.page.reload()
        expect(chat.exchanges).to_have_count(1)
        expect(chat.exchanges.last.locator(".answer-status")).to_be_visible()
        expect(chat.page.locator("#stop")).to_be_visible()
    chat.wait_for_end(chat.exchanges.last)
    expect(chat.exchanges.last.locator(".answer-text")).to_contain_text("330 metres")
    expect(chat.exchanges).to_have_count(1)
    assert [message["role"] for message in saved(chat)] == ["question", "answer"]


def test_a_lost_connection_comes_back_and_the_answer_goes_on(reader, chat: ChatPage, site: Site) -> None:
    with site.frozen("models"):
        exchange = chat.put(QUESTION)
        chat.wait_for_begin(exchange)
        with site.away("web"):
            expect(chat.page.locator("#connection")).to_be_visible()
            reader.screenshot("7-connection-lost")
    chat.wait_for_end(exchange)
    expect(exchange.locator(".answer-text")).to_contain_text("330 metres")
    expect(chat.page.locator("#connection")).to_be_hidden()
    assert exchange.locator(".answer-text").inner_text().count("330 metres") == 1


def test_a_question_asked_while_the_site_is_away_is_asked_once_when_it_is_back(chat: ChatPage, site: Site) -> None:
    with site.away("web"):
        expect(chat.page.locator("#connection")).to_be_visible()
        exchange = chat.put(QUESTION)
    chat.wait_for_end(exchange)
    assert [message["role"] for message in saved(chat)] == ["question", "answer"]


def test_stop_ends_the_answer_here_and_on_the_server(reader, chat: ChatPage, site: Site) -> None:
    with site.frozen("models"):
        exchange = chat.put(QUESTION)
        chat.wait_for_begin(exchange)
        chat.page.locator("#stop").click()
        expect(exchange.locator(".answer-stopped")).to_be_visible()
        expect(chat.page.locator("#send")).to_be_visible()
        reader.screenshot("8-stopped")
    assert saved(chat)[-1]["status"] == "stopped"
    exchange.get_by_role("button", name="Answer once more").click()
    expect(exchange.locator(".answer-text")).to_contain_text("330 metres")


def test_an_edited_question_takes_the_place_of_the_first_and_of_what_followed(chat: ChatPage) -> None:
    first = chat.ask("When did the Golden Gate Bridge open?")
    chat.ask(QUESTION)
    first.hover()
    first.get_by_role("button", name="Edit and ask again").click()
    first.locator(".edit-form textarea").fill("How long is the main span of the Golden Gate Bridge?")
    first.get_by_role("button", name="Ask again").click()
    expect(chat.exchanges).to_have_count(1)
    chat.wait_for_end(chat.exchanges.last)
    expect(chat.exchanges.last.locator(".answer-text")).to_contain_text("1,280 metres")
    chat.page.reload()
    expect(chat.exchanges).to_have_count(1)


def test_an_answer_given_once_more_keeps_the_earlier_one_to_page_back_to(chat: ChatPage) -> None:
    exchange = chat.ask(QUESTION)
    exchange.get_by_role("button", name="Answer once more").click()
    expect(exchange.locator(".versions span")).to_have_text("2 / 2")
    chat.wait_for_end(exchange)
    exchange.get_by_role("button", name="Earlier version").click()
    expect(exchange.locator(".versions span")).to_have_text("1 / 2")
    expect(exchange.locator(".answer-text")).to_contain_text("330 metres")
    chat.page.reload()
    expect(chat.exchanges.last.locator(".versions span")).to_have_text("2 / 2")


def test_thumbs_and_a_note_are_kept(chat: ChatPage) -> None:
    exchange = chat.ask(QUESTION)
    exchange.get_by_role("button", name="Bad answer").click()
    exchange.locator(".note-form input").fill("I asked in feet.")
    exchange.get_by_role("button", name="Send").click()
    expect(chat.page.get_by_text("Thank you for telling.")).to_be_visible()
    chat.page.reload()
    expect(chat.exchanges.last.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    assert saved(chat)[-1]["feedback"]["note"] == "I asked in feet."


def test_the_answer_and_the_question_can_be_copied(reader, chat: ChatPage) -> None:
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    exchange = chat.ask(QUESTION)
    exchange.get_by_role("button", name="Copy the answer").click()
    assert "330 metres" in chat.page.evaluate("navigator.clipboard.readText()")


def test_a_conversation_is_found_renamed_exported_and_deleted(chat: ChatPage) -> None:
    chat.ask(QUESTION)
    page, rows = chat.page, chat.page.locator("#conversations li")
    expect(rows).to_have_count(1)

    page.get_by_label("Search conversations").fill("Eiffel")
    expect(rows).to_have_count(1)
    page.get_by_label("Search conversations").fill("nothing like it")
    expect(page.get_by_text("No conversation holds these words.")).to_be_visible()
    page.get_by_label("Search conversations").fill("")
    expect(rows).to_have_count(1)

    rows.first.locator("summary").click()
    rows.first.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("Towers")
    page.get_by_role("button", name="Save").click()
    expect(rows.first.locator("a").first).to_have_text("Towers")
    expect(page).to_have_title("Towers – Wenda")

    for name, holds in (("Export as Markdown", "330 metres"), ("Export as JSON", "330 metres")):
        rows.first.locator("summary").click()
        with page.expect_download() as download:
            rows.first.get_by_role("link", name=name).click()
        text = download.value.path().read_text()
        assert holds in text and QUESTION in text
    json.loads(text)

    rows.first.locator("summary").click()
    rows.first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page).not_to_have_url(CONVERSATION)
    expect(rows).to_have_count(0)
