"""The main path, as a person walks it: documents in, questions asked, the sources followed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import PATIENCE_MS

FOLDER = Path(__file__).parents[1] / "data" / "articles"
ARTICLES = sorted(file for file in FOLDER.iterdir() if file.stem != "README")
QUESTIONS = [
    "Who designed the third Eddystone lighthouse?",
    "When did HMS Beagle leave Plymouth?",
    "How much caffeine does a cup of black tea hold?",
    "Which plant does all true tea come from?",
    "Who commanded the Beagle?",
]


def test_upload_three_articles_ask_five_questions_and_follow_a_citation_to_its_words(visit) -> None:
    reader = visit().sign_up()
    page = reader.page
    reader.screenshot("1-empty-chat")

    page.get_by_role("link", name="Documents", exact=True).click()
    page.locator("summary", has_text="New collection").click()
    page.get_by_label("Name").fill("Articles")
    page.get_by_role("button", name="Make the collection").click()
    page.wait_for_url("**/collections/*-*/")  # loaded, so that the page listens
    page.locator("#files").set_input_files(ARTICLES)
    rows = page.locator(".document")
    expect(rows).to_have_count(len(ARTICLES))
    for row in rows.all():
        expect(row.locator(".state")).to_have_text("Ready", timeout=2 * PATIENCE_MS)
    expect(page.locator("#document-count")).to_have_text("3 documents")
    reader.screenshot("2-documents-read")

    page.get_by_role("link", name="Ask this collection").click()
    chat = ChatPage(page)
    expect(page.locator("#picker summary")).to_have_text("Articles")
    for question in QUESTIONS:
        chat.ask(question)
    reader.screenshot("3-answers")
    expect(chat.exchanges).to_have_count(len(QUESTIONS))
    answered = page.locator(".answer-text .chip")
    assert answered.count() >= 3, "the reader should know most of these"

    target = answered.first.get_attribute("href")
    answered.first.click()
    page.wait_for_url("**/documents/**")
    place = {name: int(values[0]) for name, values in parse_qs(urlsplit(target).query).items()}
    marked = page.locator("mark.cited")
    expect(marked).to_be_in_viewport()
    reader.screenshot("4-passage")
    document = urlsplit(target).path.split("/")[2]
    cookies = {cookie["name"]: cookie["value"] for cookie in reader.context.cookies()}
    with httpx.Client(base_url=reader.site.address, cookies=cookies, trust_env=False) as http:
        stored = http.get(f"/api/v1/documents/{document}/text/").json()["text"]
    assert marked.text_content() == stored[place["start"] : place["end"]]
    assert page.locator("mark.span").text_content() == stored[place["span_start"] : place["span_end"]]


def test_a_question_that_the_documents_do_not_answer_is_told_as_such(visit, person) -> None:
    reader = visit().sign_up()
    chat = ChatPage(reader.page).open().choose("Wenda help")
    exchange = chat.ask("Who won the chess tournament of Baden-Baden in 1870?")
    expect(exchange.get_by_text("The documents do not answer this.")).to_be_visible()
    expect(exchange.locator(".sources summary")).to_contain_text("Nearest passages")
    expect(exchange.locator(".source-list a").first).to_be_visible()
    reader.screenshot("5-abstained")
