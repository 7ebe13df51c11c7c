"""Searching over REST: filters, neighbours, scores, access; marks and the data sets that are made of them."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

import pytest

from models_service.formats.beir import read_retrieval
from tests.library import add_collection

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH, MARKS = "/api/v1/search", "/api/v1/search/marks/"
LAMP = "The lamp of the lighthouse burns whale oil. The keeper fills the lamp each evening."
REEF = "A granite reef lies before the harbour. Ships have struck the reef in fog."


@pytest.fixture
def library(models, redis_url, alice):
    return add_collection(alice, "Sea", lamp=LAMP, reef=REEF, copy=REEF + " ")


def search(client, question="What does the lamp burn?", **filters):
    return client.post(SEARCH, {"question": question, **filters}, content_type="application/json")


def test_passages_come_with_their_scores_and_duplicates_are_folded(alice, library, program):
    results = search(program(alice), "What struck the reef in fog?").json()["results"]
    first = results[0]
    assert first["text"].strip() == REEF and len(first["also_in"]) == 1
    assert first["scores"]["bm25_rank"] == 1 and first["scores"]["dense"] > 0 and first["scores"]["reranked"] is None
    assert set(first["words"]) >= {"reef", "fog"} and first["why"] and first["url"].startswith("/documents/")
    assert len(results) == 2 and first["may_mark"] is True and first["is_right"] is None


def test_filters_narrow_what_is_searched(alice, library, program):
    client = program(alice)
    lamp = library.documents.get(name="lamp.txt")
    only = search(client, "Where is the reef?", documents=[str(lamp.pk)]).json()["results"]
    assert {result["document"] for result in only} == {str(lamp.pk)}
    assert search(client, media_types=["application/pdf"]).json()["results"] == []
    assert search(client, added_to="2001-01-01").json()["results"] == []
    assert len(search(client, added_from="2001-01-01", collections=["Sea"]).json()["results"]) == 2


def test_what_one_may_not_read_is_neither_found_nor_marked(bob, library, program):
    client = program(bob)
    lamp = library.documents.get(name="lamp.txt")
    assert search(client).json()["results"] == []
    assert search(client, documents=[str(lamp.pk)]).json()["results"] == []
    sent = {"question": "Who?", "document": str(lamp.pk), "start": 0, "end": 9, "is_right": True}
    assert client.post(MARKS, sent, content_type="application/json").status_code == 404


def test_bad_input_is_told(alice, library, program):
    client = program(alice)
    assert search(client, "   ").status_code == 400
    assert search(client, k=0).status_code == 400
    assert search(client, added_from="yesterday").status_code == 400
    assert client.get(f"{MARKS}export", {"form": "beir"}).status_code == 409
    assert client.get(f"{MARKS}export", {"form": "xml"}).status_code == 400
    lamp = library.documents.get(name="lamp.txt")
    place = {"question": "Who?", "document": str(lamp.pk), "start": 5, "end": 99999, "is_right": True}
    assert client.post(MARKS, place, content_type="application/json").status_code == 400
    place["document"] = str(uuid.uuid4())
    assert client.post(MARKS, place, content_type="application/json").status_code == 404


def test_marks_are_kept_taken_back_and_given_out_as_data_sets(alice, library, program, tmp_path):
    client = program(alice)
    question = "What does the lamp burn?"
    right, wrong = search(client, question).json()["results"]

    def say(result, is_right):
        sent = {"question": question, "is_right": is_right,
                **{name: result[name] for name in ("document", "start", "end")}}
        assert client.post(MARKS, sent, content_type="application/json").status_code == 200

    say(right, False)
    say(right, True)
    say(wrong, False)
    assert [result["is_right"] for result in search(client, question).json()["results"]] == [True, False]

    archive = b"".join(client.get(f"{MARKS}export", {"form": "beir"}).streaming_content)
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    data = read_retrieval(tmp_path)
    (query,) = data.queries
    assert query.text == question and len(data.documents) == 3
    assert [grade for name, grade in query.grades.items() if LAMP in data.documents[name]] == [1]

    pairs = b"".join(client.get(f"{MARKS}export", {"form": "pairs"}).streaming_content)
    assert [json.loads(line) for line in pairs.splitlines()] == [
        {"query": question, "positive": LAMP, "negatives": [wrong["text"]]}]

    say(right, None)
    assert client.get(MARKS).json()["count"] == 1
    assert client.get(f"{MARKS}export", {"form": "pairs"}).status_code == 409


def test_the_page_shows_its_filters(alice, library, browser):
    page = browser(alice).get("/search/", {"q": "lamp"}).content.decode()
    assert 'value="lamp"' in page and "Sea" in page and "text/plain" in page
