"""Classification on the dashboard: its data sets, the form, comparing two evaluations, and what may be promoted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models_service.engines.labelling import Labelled
from models_service.evaluation import classification
from webapp.errors import BadInput
from webapp.training import (
    datasets,
    jobs,
    labelling_tables,
    launch_form,
    orders,
    outcomes,
    places,
    promoting,
    sentences,
)
from webapp.training.models import DatasetVersion, Evaluation, Job, JobKind
from webapp.training.templatetags.figures import figure

pytestmark = pytest.mark.django_db
ROWS = [{"text": f"Text {number} about it.", "label": "rare" if number % 10 == 0 else "frequent"}
        for number in range(60)]


def lines(rows: list[dict[str, Any]]) -> list[bytes]:
    return ["\n".join(map(json.dumps, rows)).encode()]


@pytest.fixture
def topics(admin) -> DatasetVersion:
    return datasets.create_with_file("Topics", "classification", admin, "topics.jsonl", lines(ROWS))


def test_a_data_set_tells_its_labels_and_divides_each_by_itself(topics, admin, client) -> None:
    assert topics.report["labels"] == [{"label": "frequent", "train": 43, "held_out": 11},
                                       {"label": "rare", "train": 5, "held_out": 1}]
    client.force_login(admin)
    page = client.get(f"/dashboard/datasets/{topics.dataset_id}/").content.decode()
    assert "<th scope=\"row\">rare</th><td>5</td><td>1</td>" in page


@pytest.mark.parametrize(("row", "said"), [
    ({"text": "A"}, "Row 61, label: the field is missing"), ({"text": "A", "label": [1]}, "Row 61, label: not a"),
    ({"label": "x"}, "Row 61, text: the field is missing"), ({"text": " ", "label": "x"}, "Row 61, text: empty"),
    ({"text": "A", "label": "x" * 101}, "Row 61, label: not a label"),
])
def test_a_row_that_cannot_be_used_is_named_with_its_field_and_mend(admin, row: dict[str, Any], said: str) -> None:
    version = datasets.create_with_file("Topics", "classification", admin, "t.jsonl", lines([*ROWS, row]))
    assert version.rows == 60 and not version.is_accepted
    assert sentences.problem(version.report["problems"][0]).startswith(said)


def test_a_text_with_two_labels_is_told_and_kept(admin) -> None:
    rows = [*ROWS, *({"text": f"Text {number} about it.", "label": "frequent"} for number in (0, 1))]
    version = datasets.create_with_file("Topics", "classification", admin, "t.jsonl", lines(rows))
    assert version.is_accepted and version.rows == 61
    told = [sentences.problem(one) for one in version.report["problems"]]
    assert told == ["Row 61, label: the same text has another label in row 1, rare. Say which one is right.",
                    "Row 62: the same as row 2; it is kept once."]


def test_the_form_offers_its_settings_and_a_job_says_what_to_train(topics, admin) -> None:
    names = {setting.name for setting in launch_form.settings_of("classification", {})}
    assert {"base", "method", "class_weights", "rank", "max_length"} <= names
    job = jobs.launch("classification", topics, {"class_weights": "balanced", "epochs": "2"}, admin)
    orders.prepare(job)
    spec = json.loads((places.job(job.pk) / "spec.json").read_text())
    assert spec["task"] == "classification" and spec["settings"]["class_weights"] == "balanced"
    assert spec["register"]["name"] == "wenda-classifier" and spec["settings"]["base"].startswith("package:")
    with pytest.raises(BadInput, match="class weights"):
        jobs.launch("classification", topics, {"class_weights": "much"}, admin)


def test_a_private_training_is_one_training(topics, admin) -> None:
    private = {"private_epsilon": "3", "labels": "rare frequent"}
    assert jobs.launch("classification", topics, private, admin).options["private_epsilon"] == 3
    for plan in ({"folds": "3"}, {"trials": "3", "search": "epochs=1:3"}):
        with pytest.raises(BadInput, match="neither folds nor trials"):
            jobs.launch("classification", topics, private | plan, admin)


def measured(data: DatasetVersion, version: str, right: float) -> Evaluation:
    """As a finished job leaves it, with so large a share of right answers."""
    expected = ["rare", *["frequent"] * 19] * 20
    taken = [label if place < right * len(expected) else {"rare": "frequent", "frequent": "rare"}[label]
             for place, label in enumerate(expected)]
    found = [sorted((Labelled(label, 0.9 if label == own else 0.1) for label in ("frequent", "rare")),
                    key=lambda one: -one.score) for own in taken]
    labels = classification.labels_of(expected, found)
    job = Job(kind=JobKind.EVALUATE, task="classification", data=data, data_label=str(data),
              queued_at=data.created_at, options={"models": [f"wenda-classifier@{version}"]})
    job.save()
    rows = [{"id": str(place), "text": f"Text {place}", "expected": [label], "given": own, "score": 0.9,
             "accuracy": float(label == own), "cross_entropy": 0.105361 if label == own else 2.302585}
            for place, (label, own) in enumerate(zip(expected, taken, strict=True))]
    places.job(job.pk).mkdir(parents=True)
    (places.job(job.pk) / "examples-0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = {"n": len(rows), "metrics": classification.metrics(labels), "seconds": 1.0,
              "intervals": classification.intervals(labels),
              "labelling": classification.labelling(labels).model_dump()}
    outcomes.take_in(job, {"reports": [report]})
    return job.evaluations.get()


def test_two_evaluations_are_compared_pair_by_pair_in_every_metric(topics, admin, client) -> None:
    before, after = measured(topics, "v1", 0.9), measured(topics, "v2", 0.95)
    told = promoting.compare(before, after)
    assert told.keys() == before.metrics.keys()
    assert told["accuracy"].difference == pytest.approx(0.05)
    assert 0 < told["accuracy"].low < 0.05 < told["accuracy"].high < 0.1
    assert 0 < told["f1_macro"].low < told["f1_macro"].difference
    client.force_login(admin)
    page = client.get(f"/dashboard/evaluations/{after.pk}/?with={before.pk}").content.decode()
    assert '<th scope="row">accuracy</th><td>0.900</td><td>0.950</td><td>0.050</td>' in page
    assert '<td class="wrong shade-1">19</td>' in page and '<td class="right shade-4">361</td>' in page
    assert "What was taken for what" in page and "<polyline points=" in page


def test_a_point_of_a_share_is_a_hundredth(settings) -> None:
    settings.PROMOTE_MARGIN = 2
    assert (promoting.margin("accuracy"), promoting.margin("f1"), promoting.margin("perplexity")) == (0.02, 2, 2)
    assert (figure(0.8571, "accuracy"), figure(75.714, "f1")) == ("0.857", "75.71")


def test_of_many_labels_the_pairs_that_were_confused_most_are_listed() -> None:
    size = labelling_tables.MOST_COLUMNS + 1
    counts = [[5 if row == column else 3 if column == 0 and row == 7 else 0 for column in range(size)]
              for row in range(size)]
    told = labelling_tables.tables({"labels": [{"label": str(row)} for row in range(size)], "confusion": counts,
                                    "reliability": []})
    assert not told.matrix and told.pairs == [("7", "0", 3)]
    assert labelling_tables.tables({}) is None
