"""LibreTranslate's own shapes, at its own addresses."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def guests(settings):
    settings.GUESTS_MAY_CHAT = True


def post(path: str, **body):
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json")


def test_one_text_gives_one_translation(translators):
    response = post("/translate", q="Hello {name}!", source="en", target="de")
    assert response.status_code == 200
    assert set(response.json()) == {"translatedText"} and "{name}" in response.json()["translatedText"]


def test_a_list_gives_lists_and_auto_gives_the_language_from_0_to_100(translators):
    body = post("/translate", q=["Where is the nearest station?", "Wo ist der nächste Bahnhof?"], source="auto",
                target="zh", alternatives=2).json()
    assert len(body["translatedText"]) == len(body["alternatives"]) == 2
    assert [found["language"] for found in body["detectedLanguage"]] == ["en", "de"]
    assert all(50 < found["confidence"] <= 100 for found in body["detectedLanguage"])


def test_html_and_forms_are_taken(translators):
    form = {"q": "<p class='a'>Hello <b>there</b></p>", "source": "en", "target": "de", "format": "html"}
    text = Client(enforce_csrf_checks=True).post("/translate", form).json()["translatedText"]
    assert text.startswith("<p class='a'>") and text.endswith("</p>") and text.count("<b>") == text.count("</b>") == 1


@pytest.mark.parametrize(("body", "status", "sentence"), [
    ({"source": "en", "target": "de"}, 400, "missing q parameter"),
    ({"q": "Hello", "target": "de"}, 400, "missing source parameter"),
    ({"q": "Hello", "source": "en"}, 400, "missing target parameter"),
    ({"q": "Hello", "source": "en", "target": "xx"}, 400, "en-de"),
    ({"q": "Hello", "source": "en", "target": "de", "format": "pdf"}, 400, "pdf format is not supported"),
    ({"q": "Hello", "source": "en", "target": "de", "api_key": "wrong"}, 403, "Invalid API key"),
    ({"q": "x" * 20_001, "source": "en", "target": "de"}, 413, "20,000"),
])
def test_errors_have_its_shape(translators, body, status, sentence):
    response = post("/translate", **body)
    assert response.status_code == status
    assert set(response.json()) == {"error"} and sentence in response.json()["error"]


def test_a_key_in_the_body_is_this_sites_key(translators, settings, alice):
    from webapp.accounts.services import create_api_key

    settings.GUESTS_MAY_CHAT = False
    wanted = {"q": "Hello", "source": "en", "target": "de"}
    assert post("/translate", **wanted).status_code == 403
    assert post("/translate", **wanted, api_key=create_api_key(alice, "x")[1]).status_code == 200


def test_a_browsers_cookie_is_not_taken_for_a_key(translators, settings, browser, alice):
    settings.GUESTS_MAY_CHAT = False
    wanted = {"q": "Hello", "source": "en", "target": "de"}
    assert browser(alice).post("/translate", wanted, content_type="application/json").status_code == 403


def test_languages_detection_and_settings(translators):
    languages = Client().get("/languages").json()
    assert {"code": "en", "name": "English", "targets": ["en", "de", "zh"]} in languages
    (best, *_) = post("/detect", q="Wo ist der nächste Bahnhof, bitte?").json()
    assert best["language"] == "de" and 80 < best["confidence"] <= 100
    told = Client().get("/frontend/settings").json()
    assert told["charLimit"] == 20_000 and ".docx" in told["supportedFilesFormat"] and told["keyRequired"] is False


def test_a_file_is_translated_and_fetched_at_the_address_that_is_given(translators):
    file = SimpleUploadedFile("note.md", b"# The *train*\n\n```\ncode\n```\n")
    response = Client().post("/translate_file", {"file": file, "source": "en", "target": "de"})
    address = urlsplit(response.json()["translatedFileUrl"])
    fetched = Client().get(address.path)
    assert fetched["Content-Disposition"] == 'attachment; filename="note.de.md"'
    text = b"".join(fetched.streaming_content).decode()
    assert text.startswith("# ") and "```\ncode\n```\n" in text
    assert Client().get(address.path[:-2] + "xx").status_code == 404
    program = SimpleUploadedFile("a.exe", b"MZ")
    bad = Client().post("/translate_file", {"file": program, "source": "en", "target": "de"})
    assert bad.status_code == 400 and ".docx" in bad.json()["error"]


def test_a_browser_that_opens_the_address_comes_to_the_page():
    assert Client().get("/translate")["Location"] == "/translate/"
    assert Client().get("/translate/").status_code == 200
