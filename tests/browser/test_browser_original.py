"""A PDF opens at the cited page, as it was made, with the passage marked where it stands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pdf_files import pdf

FIRST = ["Choosing a place", "", "The reef was measured in three summers, from a boat at anchor."]
SECOND = ["Building the tower", "", "Stones came by sea. The lighthouse of Marrow Point was built by Ingrid",
          "Halloran in 1871. Its lamp could be seen from thirty miles away.", "", "It was lit at dusk."]
SENTENCE = "The lighthouse of Marrow Point was built by Ingrid Halloran in 1871."


@pytest.fixture
def cited(site, visit, person):
    """A visitor whose own PDF has been read in, and the address of its sentence."""
    document = person.add_file(person.add_collection(), "tower.pdf", pdf([FIRST, SECOND]))
    text = person.get(f"/api/v1/documents/{document}/text/")["text"]
    start, span = text.index(SENTENCE), text.index("1871")
    visitor = visit()
    visitor.context.add_cookies([{"name": "sessionid", "value": person.http.cookies["sessionid"],
                                  "url": site.address}])
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
