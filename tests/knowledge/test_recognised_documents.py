"""Scans and pictures in a collection: read by the worker, cited as recognised text, shown, refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from qa import reading
from tests.picture_files import BLANK, as_file, drawn, scan
from webapp.knowledge import folder_files, ingestion, services, storage, worker
from webapp.knowledge.models import Document, DocumentStatus
from webapp.knowledge.work import Work

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = drawn(["The reef was measured in three summers,", "from a boat at anchor."])
SECOND = drawn(["The lighthouse of Marrow Point was built by", "Ingrid Halloran in 1871, on a granite reef."])
REMARK = "Read by text recognition; may contain errors."


@pytest.fixture
def alices_browser(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def cited(client: Client) -> dict:
    body = client.post("/api/v1/qa/ask", {"question": "Who built the lighthouse of Marrow Point?"},
                       content_type="application/json").json()
    return (body["citations"] or body["nearest"])[0]


def test_an_answer_from_a_scan_names_its_page_and_says_that_its_text_was_recognised(
    collection, add, read_in, alices_browser
):
    document = read_in(add(collection, scan([FIRST, SECOND]), "scan.pdf"))
    assert (document.status, document.recognised_pages, document.unread_pages) == (DocumentStatus.READY, 2, 0)
    found = cited(alices_browser)
    assert "Ingrid Halloran in 1871" in found["quote"] and (found["page"], found["recognised"]) == (2, True)
    text = storage.documents().text(str(document.pk))
    assert text[found["start"] : found["end"]] == found["quote"]
    shown = alices_browser.get(found["url"]).content.decode()
    assert REMARK in shown and 'class="pdf-view"' in shown and 'data-page="2"' in shown
    listed = alices_browser.get(f"/collections/{collection.pk}/").content.decode()
    assert "by text recognition" in listed
    results = alices_browser.post("/api/v1/search", {"question": "Who built the lighthouse?"},
                                  content_type="application/json").json()["results"]
    assert results[0]["recognised"] is True


def test_a_document_with_text_says_nothing_of_recognition(collection, add, read_in, alices_browser):
    document = read_in(add(collection))
    assert document.recognised_pages == 0 and cited(alices_browser)["recognised"] is False
    assert REMARK not in alices_browser.get(f"/documents/{document.pk}/").content.decode()


def test_a_picture_is_a_document_and_is_shown_with_its_text(collection, add, read_in, alices_browser):
    document = read_in(add(collection, as_file(SECOND), "plate.png"))
    assert (document.status, document.media_type) == (DocumentStatus.READY, "image/png")
    shown = alices_browser.get(f"/documents/{document.pk}/").content.decode()
    assert f'<img src="/documents/{document.pk}/file/"' in shown and "Ingrid Halloran" in shown and REMARK in shown
    answer = alices_browser.get(f"/documents/{document.pk}/file/")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert answer["Content-Disposition"].startswith("inline") and "sandbox" in answer["Content-Security-Policy"]


def test_pictures_are_taken_over_rest_and_out_of_a_zip(collection, browser_of, alice):
    client = browser_of(alice)
    photo = io.BytesIO(as_file(SECOND, "JPEG"))
    photo.name = "photo.jpg"
    made = client.post("/api/v1/documents/", {"collection": str(collection.pk), "file": photo}, format="multipart")
    assert made.status_code in (201, 202) and made.json()["recognised_pages"] == 0
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("plates/one.tiff", as_file(FIRST, "TIFF"))
        archive.writestr("plates/two.webp", as_file(SECOND, "WEBP"))
        archive.writestr("plates/three.gif", as_file(BLANK, "GIF"))
    packed.seek(0)
    packed.name = "plates.zip"
    unpacked = client.post("/api/v1/documents/archive/", {"collection": str(collection.pk), "file": packed},
                           format="multipart").json()
    assert [one["path"] for one in unpacked["added"]] == ["plates/one.tiff", "plates/two.webp"]
    assert [one["path"] for one in unpacked["refused"]] == ["plates/three.gif"]


def test_the_pictures_of_a_folder_are_found(tmp_path: Path):
    for name in ("a.PNG", "b.jpeg", "c.gif", "d.tif"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.path.name for file in folder_files.found([tmp_path], [])] == ["a.PNG", "b.jpeg", "d.tif"]


def test_pages_beyond_the_site_s_limit_are_told(collection, add, read_in, alices_browser, settings):
    settings.RECOGNISE_PAGES = 1
    document = read_in(add(collection, scan([FIRST, SECOND, SECOND]), "scan.pdf"))
    assert (document.status, document.recognised_pages, document.unread_pages) == (DocumentStatus.READY, 1, 2)
    shown = alices_browser.get(f"/documents/{document.pk}/").content.decode()
    assert "1 page was read by text recognition" in shown and "2 pages are pictures that were not read" in shown
    listed = alices_browser.get(f"/collections/{collection.pk}/").content.decode()
    assert "2 pages not read" in listed


@pytest.mark.parametrize(("name", "content", "pages", "sentence"), [
    ("white.png", as_file(BLANK), 9, "No text was recognised in the pictures that white.png holds"),
    ("white.pdf", scan([BLANK]), 9, "No text was recognised in the pictures that white.pdf holds"),
    ("off.pdf", scan([FIRST]), 0, "the package rapidocr of requirements.txt has to be installed"),
    ("off.png", as_file(FIRST), 0, "WENDA_RECOGNISE_PAGES be above 0"),
    ("cut.jpg", as_file(FIRST, "JPEG")[:500], 9, "cut.jpg is damaged"),
    ("huge.png", as_file(BLANK.convert("1").resize((9_000, 8_900))), 9,
     "a picture of more than 80 megapixels"),
])
def test_a_picture_that_cannot_be_read_says_why_and_what_to_do(
    collection, add, read_in, settings, name, content, pages, sentence
):
    settings.RECOGNISE_PAGES = pages
    document = read_in(add(collection, content, name))
    assert document.status == DocumentStatus.FAILED and sentence in document.error


def test_the_page_that_is_recognised_is_told_while_it_is_read(collection, add, monkeypatch, read_in):
    document = add(collection, scan([FIRST]), "scan.pdf")
    told = []
    read = reading.read

    def slow(*args, look, **named):
        def looked(done: int, of: int) -> None:
            look(done, of)
            told.append(work.note)

        work = look.args[0]
        return read(*args, look=looked, **named)

    monkeypatch.setattr(ingestion.reading, "read", slow)
    read_in(document)
    assert told[-1] == "Recognising the text of pages that are pictures: page 1 of 1."
    assert Document.objects.get().error == ""


def test_a_document_that_is_deleted_while_it_is_recognised_is_given_up_at_once(collection, add, monkeypatch, models):
    document = add(collection, scan([FIRST] * 30), "scan.pdf")
    seen: list[int] = []
    note = ingestion._note_pages

    def deleted_meanwhile(work: Work, done: int, of: int) -> None:
        if of and not seen:
            services.delete_document(Document.objects.get(pk=document.pk))
        seen.extend([done] * bool(of))
        note(work, done, of)

    monkeypatch.setattr(ingestion, "_note_pages", deleted_meanwhile)
    worker.ingest(document.pk)
    assert not Document.objects.exists() and max(seen) < 29
