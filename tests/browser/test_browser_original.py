"""A PDF opens at the cited page, as it was made, with the passage marked where it stands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pdf_files import pdf
from tests.picture_files import as_file, drawn, scan

FIRST = ["Choosing a place", "", "The reef was measured in three summers, from a boat at anchor."]
SECOND = ["Building the tower", "", "Stones came by sea. The lighthouse of Marrow Point was built by Ingrid",
          "Halloran in 1871. Its lamp could be seen from thirty miles away.", "", "It was lit at dusk."]
SENTENCE = "The lighthouse of Marrow Point was built by Ingrid Halloran in 1871."


@pytest.fixture
def visitor(site, visit, person):
    """A browser in which `person` is signed in."""
    visitor = visit()
    visitor.context.add_cookies([{"name": "sessionid", "value": person.http.cookies["sessionid"],
                                  "url": site.address}])
    return visitor


@pytest.fixture
def cited(visitor, person):
    """A visitor whose own PDF has been read in, and the address of its sentence."""
    document = person.add_file(person.add_collection(), "tower.pdf", pdf([FIRST, SECOND]))
    text = person.get(f"/api/v1/documents/{document}/text/")["text"]
    start, span = text.index(SENTENCE), text.index("1871")
    return visitor, (f"/documents/{document}/?start={start}&end={start + len(SENTENCE)}"
                     f"&span_start={span}&span_end={span + 4}")


def test_a_cited_pdf_opens_at_its_page_with_the_passage_marked_in_place(cited):
    visitor, address = cited
    page = visitor.page
    page.goto(address)
    marks = page.locator(".textLayer mark")
    expect(marks.first).to_be_visible()
    expect(page.locator(".pdf-number")).to_have_value("2")
    assert re.sub(r"\s", "", "".join(marks.all_text_contents())) == re.sub(r"[\s.]", "", SENTENCE)
    expect(page.locator(".textLayer mark.span")).to_have_text("1871")
    canvas, mark = page.locator(".pdf-paper canvas").bounding_box(), marks.first.bounding_box()
    assert canvas["x"] < mark["x"] and canvas["y"] < mark["y"] < canvas["y"] + canvas["height"] / 3
    visitor.screenshot("pdf-original")
    page.get_by_role("button", name="Earlier page").click()
    expect(page.locator(".textLayer")).to_contain_text("The reef was measured")
    expect(marks).to_have_count(0)
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("#passage")).to_be_visible()
    expect(page.locator("#passage mark.span")).to_have_text("1871")


def test_a_scan_opens_at_the_cited_page_and_says_that_its_text_was_recognised(visitor, person):
    pages = [drawn(lines, (1300, 400)) for lines in (FIRST, ["The lighthouse was built by Ingrid Halloran in 1871."])]
    document = person.add_file(person.add_collection(), "scan.pdf", scan(pages))
    start = person.get(f"/api/v1/documents/{document}/text/")["text"].index("The lighthouse")
    page = visitor.page
    page.goto(f"/documents/{document}/?start={start}&end={start + 14}")
    expect(page.locator(".pdf-number")).to_have_value("2")
    expect(page.locator(".pdf-paper canvas")).to_be_visible()
    expect(page.locator(".recognised")).to_have_text("Read by text recognition; may contain errors.")
    visitor.screenshot("scan-original")
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("#passage")).to_have_text("The lighthouse")


def test_a_picture_is_shown_above_the_text_that_was_recognised_in_it(visitor, person):
    document = person.add_file(person.add_collection(), "plate.png", as_file(drawn(SECOND[2:4])))
    page = visitor.page
    page.goto(f"/documents/{document}/")
    picture = page.locator(".original-picture img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 1000
    expect(page.locator("#text .text")).to_contain_text("Ingrid Halloran in 1871")
    visitor.screenshot("picture-original")
