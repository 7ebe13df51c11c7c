"""The chat page as a person uses it, for tests."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

CONVERSATION = re.compile(r"/c/[0-9a-f-]{36}/$")


class ChatPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.field = page.locator("#question")
        self.exchanges = page.locator(".exchange")

    def open(self, address: str = "/") -> ChatPage:
        self.page.goto(address)
        return self

    def choose(self, collection: str) -> ChatPage:
        """Ask this collection only."""
        self.page.locator("#picker > summary").click()
        for box in self.page.locator("#picker input:checked").all():
            box.uncheck()
        self.page.locator("#picker").get_by_label(collection).check()
        self.page.keyboard.press("Escape")
        return self

    def put(self, question: str) -> Locator:
        """Write a question and press Enter; its exchange on the page."""
        count = self.exchanges.count()
        self.field.fill(question)
        self.field.press("Enter")
        expect(self.exchanges).to_have_count(count + 1)
        return self.exchanges.nth(count)

    def ask(self, question: str) -> Locator:
        """`put`, and wait for the answer's end."""
        exchange = self.put(question)
        self.wait_for_end(exchange)
        return exchange

    def wait_for_end(self, exchange: Locator) -> None:
        expect(exchange.locator(".answer-actions")).to_be_visible()
        expect(exchange.locator(".answer-status")).to_be_hidden()

    def wait_for_begin(self, exchange: Locator) -> None:
        """The server has the question: it has told the conversation's address, and works."""
        expect(self.page).to_have_url(CONVERSATION)
        expect(exchange.locator(".answer-status")).to_be_visible()
