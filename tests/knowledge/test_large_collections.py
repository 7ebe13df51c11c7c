"""An idle worker puts a collection that has become large into lists, which a person notices by nothing but speed."""

from __future__ import annotations

import pytest

from qa import inverted_lists
from tests.knowledge.conftest import STORY
from webapp.knowledge import listing, services, storage, worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_idle_worker_does_it_once_and_answers_stay(
    collection, add, read_in, alice, browser_of, monkeypatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webapp.knowledge.tasks.give_lists.delay", asked.append)
    monkeypatch.setattr(worker, "_queue_is_empty", lambda app: True)
    read_in(add(collection, STORY))
    assert worker.sweep_lists() == 0 and listing.unlisted() == []
    monkeypatch.setattr(inverted_lists, "FROM", 1)
    assert worker.sweep_lists() == 1 and asked == [str(collection.pk)]
    worker.give_lists(collection.pk)
    assert worker.sweep_lists() == 0
    storage._cached.clear()
    found = browser_of(alice).post("/api/v1/search", {"question": "Who built it?"}, format="json").json()["results"]
    assert found[0]["scores"]["dense"] > 0
    services.delete_collection(collection)
    worker.give_lists(collection.pk)
