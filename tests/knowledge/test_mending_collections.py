"""Collections whose vectors are of no use now: searched by words, told on their page, mended by worker or command."""

from __future__ import annotations

import json
import time

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from qa import index_database
from qa.index import CollectionIndex
from tests.knowledge.conftest import STORY
from webapp.knowledge import mending, services, storage, worker
from webapp.knowledge.models import DocumentStatus
from webapp.ops import site_state, snapshot

pytestmark = pytest.mark.django_db(transaction=True)
NOW, BEFORE = "all-MiniLM-L6-v2@starter", "all-MiniLM-L6-v2@v7"
QUESTION = "Who built the lighthouse of Marrow Point?"


@pytest.fixture(autouse=True)
def none_rests(monkeypatch):
    monkeypatch.setattr(mending, "_resting", {})


@pytest.fixture
def of_another(collection, add, read_in) -> CollectionIndex:
    """The index of a collection whose vectors are by another encoder, as its state says."""
    read_in(add(collection))
    index = storage.index(collection.pk)
    pretend(index)
    return index


def pretend(index: CollectionIndex) -> None:
    with index.connection() as connection:
        index_database.set_encoder(connection, BEFORE, 384)


def encoder_of(index: CollectionIndex) -> str:
    with index.connection() as connection:
        return index_database.encoder(connection)[0]


def damage(index: CollectionIndex) -> None:
    [file] = index.segments.glob("*.faiss")
    file.write_bytes(file.read_bytes()[:-8])


def test_it_is_searched_by_words_told_on_its_page_and_mended_by_the_worker(
    collection, of_another, alice, browser_of
) -> None:
    browser = browser_of(alice)
    found = browser.post("/api/v1/search", {"question": QUESTION}, format="json").json()["results"]
    assert "Ingrid Halloran" in found[0]["text"] and found[0]["scores"]["dense"] is None
    answer = browser.post("/api/v1/qa/ask", {"question": QUESTION}, format="json").json()
    assert "Halloran" in answer["answer"]
    page = browser.get(reverse("collection", args=[collection.pk])).content.decode()
    assert "0 of 1 so far; until then it is searched by its words alone" in page
    assert mending.needy() == [collection.pk]
    assert snapshot._storage().index_without_vectors == 1
    told = {metric.name: metric.samples[0].value for metric in site_state._index()}
    assert told["wenda_index_collections_without_vectors"] == 1
    worker.mend(collection.pk)
    assert snapshot._storage().index_without_vectors == 0
    assert encoder_of(of_another) == NOW and mending.needy() == []
    found = browser.post("/api/v1/search", {"question": QUESTION}, format="json").json()["results"]
    assert found[0]["scores"]["dense"] > 0
    assert "searched by its words" not in browser.get(reverse("collection", args=[collection.pk])).content.decode()


def test_a_document_that_is_added_has_the_others_mended_first(collection, of_another, add, read_in) -> None:
    document = read_in(add(collection, "The lamp was lit at dusk.", "note.txt"))
    assert document.status == DocumentStatus.READY and document.error == ""
    assert encoder_of(of_another) == NOW and of_another.count() == 2


def test_an_idle_worker_asks_for_it_and_lets_be_what_it_looked_at_in_vain(
    collection, of_another, models, monkeypatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webapp.knowledge.tasks.mend.delay", asked.append)
    monkeypatch.setattr(worker, "_queue_is_empty", lambda app: True)
    assert worker.sweep_indexes() == 1 and asked == [str(collection.pk)]
    worker.mend(collection.pk)
    monkeypatch.setattr(mending, "served_encoder", lambda: BEFORE)  # which the service does not serve
    assert worker.sweep_indexes() == 1
    rests = []
    for _ in range(3):
        worker.mend(collection.pk)
        assert worker.sweep_indexes() == 0 and encoder_of(of_another) == NOW
        rests.append(mending._resting[collection.pk].seconds)
    assert rests == [5, 10, 20]
    mending._resting[collection.pk] = mending._Rest(20, time.monotonic())
    assert worker.sweep_indexes() == 1
    pretend(of_another)
    worker.mend(collection.pk)
    assert encoder_of(of_another) == NOW and not mending._resting


def test_while_the_model_service_is_away_nothing_is_lost(
    collection, of_another, settings, monkeypatch
) -> None:
    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    monkeypatch.setattr(worker, "MODEL_PATIENCE_SECONDS", 0.1)
    worker.mend(collection.pk)
    assert encoder_of(of_another) == BEFORE and mending.needy() == [collection.pk]
    services.delete_collection(collection)
    worker.mend(collection.pk)
    assert mending.needy() == [] and mending.standing(collection.pk) is None


def index_command(capsys, *words: str) -> dict:
    call_command("index", *words, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_command_checks_and_mends_where_no_site_runs(collection, of_another, settings, capsys) -> None:
    settings.MODELS_SERVICE_URLS = []
    told = index_command(capsys, "check")
    [row] = told["collections"]
    assert (row["state"], row["passages"], told["whole"], told["encoder"]) == ("another encoder", 1, False, NOW)
    [row] = index_command(capsys, "mend", "--collection", collection.name)["collections"]
    assert (row["state"], row["embedded"]) == ("whole", 1) and encoder_of(of_another) == NOW
    damage(of_another)
    assert index_command(capsys, "check")["collections"][0]["state"] == "damaged" and mending.needy()
    call_command("index", "mend")
    assert capsys.readouterr().out.split() == ["collection", "passages", "state", "embedded", "again",
                                               *collection.name.split(), "1", "whole", "1"]
    assert index_command(capsys, "check")["whole"] and not mending.needy()
    with pytest.raises(CommandError, match="There is no collection 'Nowhere'"):
        call_command("index", "check", "--collection", "Nowhere")


def test_a_file_that_is_damaged_while_it_is_used_is_noted_and_mended(
    collection, add, read_in, alice, browser_of
) -> None:
    read_in(add(collection, STORY))
    damage(storage.index(collection.pk))
    storage._cached.clear()
    browser = browser_of(alice)
    answer = browser.post("/api/v1/qa/ask", {"question": QUESTION}, format="json").json()
    assert "Halloran" in answer["answer"] and mending.needy() == [collection.pk]
    worker.mend(collection.pk)
    found = browser.post("/api/v1/search", {"question": QUESTION}, format="json").json()["results"]
    assert found[0]["scores"]["dense"] > 0 and mending.needy() == []
