"""Summarizing as a person does it: a long PDF in, a sentence followed to its place, two summaries compared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.pdf_files import pdf
from tests.picture_files import BLANK, scan

ADDRESS = re.compile(r"/summarize/[0-9a-f-]{36}/$")


@pytest.fixture
def long_pdf(chromium: Browser) -> bytes:
    """A report of many pages in ten chapters, as a browser prints it."""
    chapters = "".join(
        f"<h2>Chapter {number}: the reign of king {number}</h2>" + "".join(
            f"<p>In year {year} of this reign the river stood at mark {number * year} below the old bridge. The "
            f"keeper wrote the mark of year {year} into his book, as his father had done before him. Ships of burden "
            f"{year} came up to the second bridge and unloaded salt, timber and wine.</p>" for year in range(1, 9))
        for number in range(1, 11))
    page = chromium.new_page()
    page.set_content(f"<title>The river book</title><h1>The river book</h1>{chapters}")
    printed = page.pdf(format="A5", outline=True, tagged=True)
    page.close()
    return printed


def open_page(page: Page, address: str = "/summarize/") -> None:
    page.goto(address)
    expect(page.locator("html[data-ready=summarize]")).to_be_attached()


def summarize(page: Page, number: int = 1) -> None:
    """Press the button and wait for the summary in this card."""
    page.locator("#go").click()
    card = page.locator(".summary-card").nth(number - 1)
    expect(card.locator(".summary-facts")).to_be_visible(timeout=3 * PATIENCE_MS)


def follow(page: Page, place: int = 0) -> None:
    """Click a sentence of the summary: it is marked in the text, in view, and says the same."""
    link = page.locator(".summary-text a.place").nth(place)
    link.click()
    mark = page.locator("#source-text mark.active")
    expect(mark).to_be_in_viewport()
    expect(mark).to_have_text(link.text_content())


def test_a_long_pdf_is_summarized_by_its_chapters_and_a_sentence_leads_to_its_place(visit, long_pdf) -> None:
    reader = visit().sign_up()
    page = reader.page
    page.get_by_role("link", name="Summarize", exact=True).click()
    open_page(page)
    page.locator("#file").set_input_files({"name": "river.pdf", "mimeType": "application/pdf", "buffer": long_pdf})
    expect(page.locator("#chosen")).to_contain_text("river.pdf")
    page.locator("#length").select_option("short")
    summarize(page)
    expect(page).to_have_url(ADDRESS)
    expect(page.get_by_role("heading", level=1)).to_have_text("The river book")
    sections = page.locator(".sections li")
    assert sections.count() == 10
    expect(sections.nth(4)).to_contain_text("Chapter 5: the reign of king 5")
    expect(page.locator("#source-text [data-page]").nth(1)).to_have_attribute("data-page", "Page 2")
    last = page.locator(".summary-text a.place").count() - 1
    follow(page, last)
    assert page.locator("#source-text mark.cited").count() >= last
    reader.screenshot("summary-of-a-pdf")
    page.locator(".section-title").nth(8).click()
    expect(page.locator("#source-text mark.active")).to_be_in_viewport()
    expect(page.locator("#source-text mark.active")).to_contain_text("Chapter 9")

    page.get_by_role("button", name="Compare").click()
    page.locator("#style").select_option("bullets")
    summarize(page, 2)
    expect(page.locator(".summary-card")).to_have_count(2)
    assert page.locator(".summary-card").nth(1).locator("li a.place").count() >= 2
    reader.screenshot("summaries-compared")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download as Markdown").click()
    written = download.value.path().read_text(encoding="utf-8")
    assert written.startswith("# The river book") and "#### Chapter 5" in written

    page.reload()
    expect(page.locator("html[data-ready=summarize]")).to_be_attached()
    follow(page)
    open_page(page)
    expect(page.locator("#history")).to_contain_text("The river book")
    page.locator("#history [data-action=delete]").click()
    page.get_by_role("button", name="Delete").last.click()
    expect(page.locator("#history li")).to_have_count(0)


def test_on_a_phone_in_chinese_and_dark_a_pasted_text_is_summarized(visit) -> None:
    reader = visit(viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme="dark", has_touch=True)
    page = reader.page
    open_page(page)
    page.locator("#go").click()
    expect(page.locator("#problem")).to_have_text("请先粘贴文本、选择文件或选取文档。")
    text = ("灯塔建于一八七一年，由工程师设计。它位于离岸两英里的礁石上，灯光可以照到三十英里以外。"
            "灯塔的石料来自北方的采石场。最后一位守塔人在一九五四年离开了灯塔。")
    page.locator("#text").fill(text)
    page.locator("#style").select_option("sentence")
    summarize(page)
    follow(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    reader.screenshot("summary-on-a-phone")
    page.locator("#style").select_option("key_terms")
    summarize(page)
    expect(page.locator(".terms a.place").first).to_be_visible()


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("locked.pdf", pdf([["x"]], is_encrypted=True), "protected by a password"),
    ("scan.pdf", scan([BLANK]), "No text was recognised"),
    ("tool.exe", b"MZ", "Files of this type cannot be read"),
    ("big.txt", b"word " * 1_000_000, "at most 3,000,000 can be summarized"),
])
def test_what_cannot_be_summarized_is_refused_and_can_be_changed(visit, name, content, sentence) -> None:
    reader = visit()
    page = reader.page
    open_page(page)
    page.locator("#file").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    if name != "tool.exe":
        page.locator("#go").click()
    expect(page.locator("#problem")).to_contain_text(sentence)
    expect(page.locator("#hand-in")).to_be_visible()


def test_a_page_with_scripts_is_shown_as_text_and_runs_nothing(visit) -> None:
    reader = visit()
    page = reader.page
    open_page(page)
    source = (b"<p>The reef was measured by <b>two</b> boats &lt;img src=x onerror=alert(1)&gt; in summer.</p>"
              b"<script>alert(2)</script>")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.locator("#file").set_input_files({"name": "page.html", "mimeType": "text/html", "buffer": source})
    page.locator("#style").select_option("sentence")
    summarize(page)
    expect(page.locator("#source-text")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#source-text img, .summary-text img").count() == 0


def test_a_document_is_summarized_from_its_own_page(visit) -> None:
    reader = visit()
    page = reader.page
    page.goto("/help/")
    page.get_by_role("link", name="Collections", exact=True).first.click()
    page.get_by_role("main").get_by_role("link", name="Summarize").click()
    expect(page.locator("html[data-ready=summarize]")).to_be_attached()
    expect(page.locator("#chosen")).to_contain_text("Collections")
    page.locator("#length").select_option("short")
    summarize(page)
    follow(page)
