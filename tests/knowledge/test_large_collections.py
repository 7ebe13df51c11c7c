"""An idle worker gives a collection that has become large short codes, which a person notices by speed alone."""

from __future__ import annotations

import pytest

from qa import short_codes
from tests.knowledge.conftest import STORY
from webapp.knowledge import quickening, services, storage, worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_idle_worker_does_it_once_and_answers_stay(
    collection, add, read_in, alice, browser_of, monkeypatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webapp.knowledge.tasks.give_codes.delay", asked.append)
    monkeypatch.setattr(worker, "_queue_is_empty", lambda app: True)
    read_in(add(collection, STORY))
    assert worker.sweep_codes() == 0 and quickening.uncoded() == []
    monkeypatch.setattr(short_codes, "FROM", 1)
    assert worker.sweep_codes() == 1 and asked == [str(collection.pk)]
    worker.give_codes(collection.pk)
    assert worker.sweep_codes() == 0
    storage._cached.clear()
    found = browser_of(alice).post("/api/v1/search", {"question": "Who built it?"}, format="json").json()["results"]
    assert found[0]["scores"]["dense"] > 0
    services.delete_collection(collection)
    worker.give_codes(collection.pk)
