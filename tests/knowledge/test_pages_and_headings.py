"""PDF and Word files in a collection: read by the worker, cited with page and heading, refused with a sentence."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.docx_files import bomb, docx_bytes
from tests.office_files import pptx, xlsx
from tests.pdf_files import pdf
from webapp.knowledge import storage
from webapp.knowledge.models import DocumentStatus

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = ["Choosing a place", "", "The reef was measured in three summers, from a boat at anchor."]
SECOND = ["Building the tower", "", "The lighthouse of Marrow Point was built by Ingrid Halloran in 1871."]


@pytest.fixture
def report(collection, add, read_in):
    document = read_in(add(collection, pdf([FIRST, SECOND], outline=[(FIRST[0], 0), (SECOND[0], 1)],
                                           title="The tower"), "tower.pdf"))
    assert document.status == DocumentStatus.READY, document.error
    return document


def test_an_answer_from_a_pdf_names_the_page_and_the_heading_of_its_citation(report, alice):
    client = Client()
    client.force_login(alice)
    body = client.post("/api/v1/qa/ask", {"question": "Who built the lighthouse of Marrow Point?"},
                       content_type="application/json").json()
    cited = (body["citations"] or body["nearest"])[0]
    text = storage.documents().text(str(report.pk))
    assert text[cited["start"] : cited["end"]] == cited["quote"] and "Ingrid Halloran" in cited["quote"]
    assert (cited["title"], cited["page"], cited["section"]) == ("The tower", 2, "Building the tower")


def test_the_documents_page_says_on_which_page_and_under_which_heading_the_passage_stands(report, alice):
    client = Client()
    client.force_login(alice)
    start = storage.documents().text(str(report.pk)).index("The lighthouse")
    shown = client.get(f"/documents/{report.pk}/", {"start": start, "end": start + 20}).content.decode()
    assert "<span>Page 2</span><span>Building the tower</span>" in shown and "<span>2 pages</span>" in shown
    assert "passage-place" not in client.get(f"/documents/{report.pk}/").content.decode()


def test_a_word_file_is_read_with_its_headings(collection, add, read_in):
    def fill(document) -> None:
        document.add_heading("The tower", 0)
        document.add_heading("Its lamp", 1)
        document.add_paragraph("The lamp could be seen from thirty miles away.")

    document = read_in(add(collection, docx_bytes(fill), "lamp.docx"))
    assert (document.status, document.title) == (DocumentStatus.READY, "The tower")
    text = storage.documents().text(str(document.pk))
    structure = storage.documents().structure(str(document.pk))
    assert structure.section_at(text.index("thirty")) == "Its lamp" and structure.page_at(5) is None


def test_an_answer_from_a_spreadsheet_is_one_row_and_names_its_sheet_and_number(collection, add, read_in, alice):
    rows = [["Article", "Price", "In stock"], *([f"Article {n}", n + 0.5, n] for n in range(2, 40)),
            ["Flange", 45.25, 712]]
    document = read_in(add(collection, xlsx({"Prices": rows, "Notes": [["Nothing here."]]}), "prices.xlsx"))
    assert document.status == DocumentStatus.READY, document.error
    client = Client()
    client.force_login(alice)
    body = client.post("/api/v1/qa/ask", {"question": "What is the price of the Flange?"},
                       content_type="application/json").json()
    cited = body["citations"][0]
    assert body["span"] == "45.25" and cited["quote"].endswith("Article: Flange; Price: 45.25; In stock: 712.")
    assert (cited["title"], cited["section"], cited["row"], cited["page"]) == ("prices", "Prices", 40, None)
    shown = client.get(cited["url"]).content.decode()
    assert "<span>Sheet Prices</span><span>Row 40</span>" in shown


def test_an_answer_from_slides_names_the_slide(collection, add, read_in, alice):
    slides = [{"title": "Choosing a place", "text": "The reef was measured in three summers."},
              {"title": "Building", "text": "The lighthouse of Marrow Point was built by Ingrid Halloran in 1871."}]
    read_in(add(collection, pptx(slides), "talk.pptx"))
    client = Client()
    client.force_login(alice)
    body = client.post("/api/v1/qa/ask", {"question": "Who built the lighthouse of Marrow Point?"},
                       content_type="application/json").json()
    cited = (body["citations"] or body["nearest"])[0]
    assert (cited["page"], cited["page_kind"], cited["section"]) == (2, "slide", "Building")
    assert "<span>Slide 2</span><span>Building</span>" in client.get(cited["url"]).content.decode()


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("locked.pdf", pdf([["x"]], is_encrypted=True), "locked.pdf is protected by a password"),
    ("blank.pdf", pdf([[], []]), "blank.pdf holds no text"),
    ("cut.pdf", pdf([["x"]])[:200], "cut.pdf is damaged"),
    ("bomb.docx", bomb(), "takes more time or memory"),
    ("old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "protected by a password"),
])
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(collection, add, read_in, name, content, sentence):
    document = read_in(add(collection, content, name))
    assert document.status == DocumentStatus.FAILED and sentence in document.error
