"""The translating page in a real browser. Where no translator is installed, a tiny one serves: it writes nonsense."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import docx
import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_browser_comfort import PHONE
from tests.running_site import PROJECT, Site, until


@pytest.fixture(scope="module")
def translating_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, with a translator between English and German."""
    def offered() -> set[tuple[str, str]]:
        pairs = httpx.get(f"{site.address}/api/v1/languages", timeout=60, trust_env=False).json().get("pairs", [])
        return {(pair["source"], pair["target"]) for pair in pairs}

    if not offered() >= {("en", "de"), ("de", "en")}:
        code = ("import sys; from pathlib import Path; from tests.models_service.tiny_translator import "
                "save_tiny_translator; save_tiny_translator(Path(sys.argv[1]))")
        folder = tmp_path_factory.mktemp("tiny")
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=PROJECT, env=site.environment, check=True)
        site.command("models", "register", str(folder), "--name", "tiny-translator")
        site.command("models", "promote", "tiny-translator", "v1")
        until(lambda: offered() >= {("en", "de"), ("de", "en")}, what="the offer of a translator")
    return site


def opened(page: Page, source: str = "en", target: str = "de") -> Page:
    page.goto("/translate/")
    expect(page.locator("#target option[value=de]")).to_be_attached()
    page.select_option("#source", source)
    page.select_option("#target", target)
    return page


def put(page: Page, text: str) -> str:
    """Write a text and wait for its translation."""
    page.locator("#text").fill(text)
    expect(page.locator("#translation")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".sentence").first).to_be_visible()
    expect(page.locator("#copy")).to_be_visible()
    return page.locator("#translation").text_content() or ""


def test_the_translation_changes_as_one_types_and_the_language_is_told(translating_site, visit) -> None:
    visitor = visit()
    page = opened(visitor.page, "auto")
    first = put(page, "Where is {name}?")
    assert "{name}" in first
    page.locator("#text").press("End")
    page.locator("#text").press_sequentially(" Are you at https://example.org/x now?")
    expect(page.locator("#translation")).to_contain_text("https://example.org/x")
    expect(page.locator("#detected")).to_contain_text("English")
    expect(page.locator("#route")).not_to_be_empty()
    expect(page.locator(".sentence")).to_have_count(2)
    page.locator(".sentence").nth(1).hover()
    expect(page.locator("#mirror .lit")).to_have_text("Are you at https://example.org/x now?")
    visitor.screenshot("translate-english")


def test_a_text_in_the_language_that_nobody_chose_is_translated_into_another(translating_site, visit) -> None:
    page = visit().page
    page.goto("/translate/")
    expect(page.locator("#target option[value=de]")).to_be_attached()
    expect(page.locator("#target")).to_have_value("en")
    put(page, "Where is the station? I want to buy a ticket.")
    expect(page.locator("#target")).to_have_value("de")
    page.select_option("#target", "en")
    expect(page.locator("#translation")).to_have_text("Where is the station? I want to buy a ticket.")


def test_a_page_that_opens_while_the_site_is_away_translates_once_it_is_back(translating_site, visit) -> None:
    page = visit().page
    page.route("**/api/v1/languages", lambda route: route.abort())
    page.goto("/translate/")
    expect(page.locator("#translation")).to_contain_text("cannot be reached")
    page.unroute("**/api/v1/languages")
    page.locator("#text").fill("Where is {name}?")
    expect(page.locator("#translation")).to_contain_text("{name}")


def test_a_text_in_a_language_that_cannot_be_told_is_refused_with_what_to_do(translating_site, visit) -> None:
    page = opened(visit().page, "auto")
    page.locator("#text").fill("Καλημέρα κόσμε")
    expect(page.locator("#translation")).to_contain_text("The language of this text cannot be told")
    put(page, "Where is {name}?")


def test_swap_puts_the_translation_where_the_text_was(translating_site, visit) -> None:
    page = opened(visit().page)
    before = put(page, "Where is {name}?")
    page.get_by_role("button", name="Swap languages").click()
    expect(page.locator("#text")).to_have_value(before)
    expect(page.locator("#source")).to_have_value("de")
    expect(page.locator("#target")).to_have_value("en")


def test_html_keeps_its_tags_and_is_shown_as_text(translating_site, visit) -> None:
    page = opened(visit().page)
    page.select_option("#format", "html")
    shown = put(page, "<p class=\"a\">The train <b>is</b> late.</p><script>window.harmed = 1</script>")
    assert shown.startswith('<p class="a">') and shown.endswith("</p><script>window.harmed = 1</script>")
    assert shown.count("<b>") == shown.count("</b>") == 1
    assert page.evaluate("() => window.harmed ?? null") is None


def test_a_glossary_term_is_used_and_counted_and_the_history_brings_a_text_back(translating_site, visit) -> None:
    reader = visit().sign_up()
    page = opened(reader.page)
    page.locator("#glossary > summary").click()
    page.get_by_label("Word").fill("station")
    page.get_by_label("Translation", exact=True).fill("Bahnhof")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#terms")).to_contain_text("station → Bahnhof")
    assert "Bahnhof" in put(page, "Where is the station?")
    expect(page.locator("#notes")).to_contain_text("1 glossary hit: station → Bahnhof")
    page.locator("#copy").click()
    expect(page.locator("#terms .hits")).to_contain_text("met 1 time")
    page.locator("#history > summary").click()
    expect(page.locator(".history-entry .text")).to_have_text("Where is the station?")
    page.get_by_label("Search the history").fill("nowhere")
    expect(page.locator("#history-none")).to_have_text("Nothing is found.")
    page.get_by_label("Search the history").fill("STATION")
    expect(page.locator(".history-entry")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as TMX").click()
    assert download.value.suggested_filename == "translations.tmx"
    assert "<seg>Where is the station?</seg>" in download.value.path().read_text("utf-8")
    page.locator("#clear").click()
    expect(page.locator(".sentence")).to_have_count(0)
    page.locator(".history-entry").click()
    expect(page.locator("#text")).to_have_value("Where is the station?")
    reader.screenshot("translate-glossary")


def report(pages: int = 3) -> bytes:
    document = docx.Document()
    for number in range(pages):
        document.add_heading(f"Part {number + 1}", level=1)
        paragraph = document.add_paragraph("The train is ")
        paragraph.add_run("very late").bold = True
        paragraph.add_run(" today.")
        document.add_table(rows=1, cols=2).cell(0, 0).text = "Station"
        document.add_page_break()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_document_of_three_pages_is_translated_with_its_layout(translating_site, visit, tmp_path: Path) -> None:
    visitor = visit()
    page = opened(visitor.page)
    (tmp_path / "report.docx").write_bytes(report())
    (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04 not really")
    page.locator("#files").set_input_files([tmp_path / "report.docx", tmp_path / "broken.docx"])
    row = page.locator("#file-list li", has_text="report.docx")
    expect(row.locator(".state")).to_have_text("Translated")
    expect(page.locator("#file-list li", has_text="broken.docx")).to_contain_text("damaged")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "report.de.docx"
    made, original = docx.Document(download.value.path()), docx.Document(io.BytesIO(report()))
    assert [p.style.name for p in made.paragraphs] == [p.style.name for p in original.paragraphs]
    assert len(made.tables) == 3
    assert any(run.bold for run in made.paragraphs[1].runs)
    assert [bool(p._p.xpath(".//w:br")) for p in made.paragraphs] == [
        bool(p._p.xpath(".//w:br")) for p in original.paragraphs]
    visitor.screenshot("translate-files")


@pytest.mark.parametrize(("name", "options"), [
    ("phone-dark", {**PHONE, "color_scheme": "dark"}), ("chinese-phone", {**PHONE, "locale": "zh-CN"}),
    ("chinese-dark", {"locale": "zh-CN", "color_scheme": "dark"}),
])
def test_the_page_fits_phones_and_both_languages(translating_site, visit, name: str, options: dict) -> None:
    visitor = visit(**options)
    page = opened(visitor.page, "auto")
    put(page, "Where is {name}?\n\nThe train leaves at 7:45.")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if "locale" in options:
        expect(page.locator("#glossary > summary")).to_have_text(re.compile("术语表"))
        expect(page.locator("#detected")).to_contain_text(re.compile("英语"))
    visitor.screenshot(f"translate-{name}")


def test_a_text_that_is_too_long_is_told_before_it_is_sent(translating_site, visit) -> None:
    page = opened(visit().page)
    page.locator("#text").fill("word " * 4_001)
    expect(page.locator("#text-count")).to_have_class(re.compile("over"))
    expect(page.locator(".sentence")).to_have_count(0)
