"""/api/v1/classify: with a real model service that serves two small classifiers of the test's own, and with none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models_service import admission
from models_service.protocol import Classified
from models_service.registry import versions_in
from tests.api.conftest import is_problem
from tests.model_service import RunningModels, running_models
from tests.models_service.conftest import FAST_START
from tests.models_service.test_classifier import SENTIMENT, sentiment, tagger
from webapp.settings.places import models_folder

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["sentiment", "tagger"]
URL = "/api/v1/classify"
TEXTS = ["I love it!", "Marie Curie was born in Warsaw."]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sentiment: Path, tagger: Path) -> Path:
    """The data folder of a site with two classifiers."""
    data = tmp_path_factory.mktemp("site")
    versions = versions_in(models_folder(data))
    for name, folder in (("sentiment", sentiment), ("tagger", tagger)):
        admission.register(versions, folder, name)
        versions.promote(name, "v1")
    return data


@pytest.fixture(scope="module")
def models_process(served: Path) -> Iterator[RunningModels]:
    with running_models(models_folder(served), OMP_NUM_THREADS="1", **FAST_START) as running:
        yield running


def _post(client, **body):
    return client.post(URL, body, content_type="application/json")


def test_texts_are_labelled_by_the_first_classifier_and_their_entities_found_by_the_one_that_is_named(
    models, redis_url, served: Path, settings, alice, program
) -> None:
    settings.DATA_DIR = served
    assert program(alice).get(URL).json() == {"classifiers": [
        {"name": "sentiment", "version": "v1", "task": "text", "labels": list(SENTIMENT.values())},
        {"name": "tagger", "version": "v1", "task": "tokens", "labels": ["PER", "LOC"]},
    ]}
    body = _post(program(alice), text=TEXTS).json()
    assert (body["model"], body["version"], body["task"], body["entities"]) == ("sentiment", "v1", "text", [])
    for labels in body["labels"]:
        assert {one["label"] for one in labels} == set(SENTIMENT.values())
        assert sum(one["score"] for one in labels) == pytest.approx(1, abs=1e-4)
    Classified.model_validate(body)
    body = _post(program(alice), text=TEXTS[1], model="tagger").json()
    assert body["task"] == "tokens" and len(body["entities"]) == 1
    assert all(TEXTS[1][one["start"] : one["end"]] == one["text"] for one in body["entities"][0])


def test_what_cannot_be_classified_is_refused_with_a_sentence(models, redis_url, alice, program) -> None:
    assert "wenda-reader" in is_problem(_post(program(alice), text="a", model="wenda-reader"), 400)["detail"]
    assert "sentiment" in is_problem(_post(program(alice), text="a", model="other"), 404)["detail"]
    assert "text" in is_problem(_post(program(alice), text=[]), 400)["errors"]
    is_problem(_post(program(alice), text=["long " * 2_000] * 20), 400)


def test_a_site_without_a_classifier_lists_none(redis_url, alice, program) -> None:
    assert program(alice).get(URL).json() == {"classifiers": []}
