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


def test_a_forms_ends_of_lines_become_those_of_the_text(translators):
    form = {"q": "One.\r\nTwo.", "source": "en", "target": "de"}
    text = Client(enforce_csrf_checks=True).post("/translate", form).json()["translatedText"]
    assert "\n" in text and "\r" not in text


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
    ({"q": "Hello", "source": "en", "target": "de", "alternatives": float("inf")}, 400, "must be a number"),
    ({"q": "Hello", "source": "en", "target": "de", "api_key": "wrong"}, 403, "Invalid API key"),
    ({"q": "x" * 20_001, "source": "en", "target": "de"}, 400, "20,000"),
])
def test_errors_have_its_shape(translators, body, status, sentence):
    response = post("/translate", **body)
    assert response.status_code == status
    assert set(response.json()) == {"error"} and sentence in response.json()["error"]


def test_a_key_in_the_body_is_this_sites_key(translators, settings, alice):
    from webapp.accounts.services import create_api_key

    settings.GUESTS_MAY_CHAT = False
    wanted = {"q": "Hello", "source": "en", "target": "de"}
    refused = post("/translate", **wanted)
    assert refused.status_code == 403 and "An API key is required" in refused.json()["error"]
    assert post("/translate", **wanted, api_key=create_api_key(alice, "x")[1]).status_code == 200


def test_a_browsers_cookie_is_not_taken_for_a_key(translators, settings, browser, alice):
    settings.GUESTS_MAY_CHAT = False
    wanted = {"q": "Hello", "source": "en", "target": "de"}
    assert browser(alice).post("/translate", wanted, content_type="application/json").status_code == 403


def test_what_its_clients_ask_without_a_key_is_told_without_one(translators, settings):
    settings.GUESTS_MAY_CHAT = False
    assert Client().get("/health").json() == {"status": "ok"}
    assert [language["code"] for language in Client().get("/languages").json()] == ["de", "en", "zh"]
    assert Client().get("/frontend/settings").json()["keyRequired"] is True


def test_a_page_of_another_site_may_call_with_a_key(translators):
    asked = Client(enforce_csrf_checks=True).options("/translate", headers={"Origin": "https://elsewhere.example"})
    assert asked.status_code == 200 and asked["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    for response in (asked, post("/detect", q="Hello there"), post("/translate", q="Hello")):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response


def test_its_python_client_works_here(translators, live_server, alice):
    from libretranslatepy import LibreTranslateAPI

    from webapp.accounts.services import create_api_key

    client = LibreTranslateAPI(live_server.url, api_key=create_api_key(alice, "x")[1])
    assert [language["name"] for language in client.languages()] == ["German", "English", "Chinese"]
    assert client.detect("Wo ist der nächste Bahnhof, bitte?")[0]["language"] == "de"
    assert "{name}" in client.translate("Hello {name}!", "en", "de")


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
    long = SimpleUploadedFile("a.txt", b"A long text. " * 2_000)
    refused = Client().post("/translate_file", {"file": long, "source": "en", "target": "de"})
    assert refused.status_code == 400 and "/api/v1/translation-batches/" in refused.json()["error"]
    bad = Client().post("/translate_file", {"file": program, "source": "en", "target": "de"})
    assert bad.status_code == 400 and ".docx" in bad.json()["error"]


def test_a_file_comes_in_as_other_uploads_do(translators, settings, monkeypatch):
    def status(data: bytes) -> int:
        file = SimpleUploadedFile("note.txt", data)
        return Client().post("/translate_file", {"file": file, "source": "en", "target": "de"}).status_code

    monkeypatch.setattr("qa.writing.files.read", lambda *_: pytest.fail("it was read"))
    settings.MAX_UPLOAD_BYTES = 20
    assert status(b"A text of more than twenty bytes.") == 400
    assert status(b"") == 400
    monkeypatch.setattr("webapp.writing.translating.MOST_AT_ONCE", 0)
    assert status(b"A train.") == 429


def test_a_browser_that_opens_the_address_comes_to_the_page():
    assert Client().get("/translate")["Location"] == "/translate/"
    assert Client().get("/translate/").status_code == 200
