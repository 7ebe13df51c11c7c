"""Retrieval on the dashboard: its data sets, those made of marks, what a job trains, how a promotion is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models_service.registry import ENCODER
from tests.library import add_collection
from webapp.ops.evaluations import TASKS, Order
from webapp.retrieval import marking
from webapp.training import datasets, jobs, launch_form, orders, outcomes, places, promoting, rows_file, sentences
from webapp.training.models import DatasetVersion, Evaluation, Job, JobKind

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = [{"query": f"What is in passage {number}?", "positive": f"Passage {number} holds the number {number * 7}.",
         "negatives": [f"Passage {number + 1} holds the number {number * 7 + 7}."]} for number in range(20)]


def lines(rows: list[dict[str, Any]]) -> list[bytes]:
    return ["\n".join(map(json.dumps, rows)).encode()]


@pytest.fixture
def pairs(admin) -> DatasetVersion:
    return datasets.create_with_file("Pairs", "retrieval", admin, "pairs.jsonl", lines(ROWS))


def test_a_data_set_is_divided_by_passage_and_shows_its_rows(pairs, admin, client) -> None:
    rows = [*ROWS, {"question": "And what else is in it?", "context": ROWS[0]["positive"]}]
    version, _known = datasets.add_version(pairs.dataset, admin, "more.jsonl", lines(rows))
    sides = {row["side"] for row in rows_file.rows(version) if row["positive"] == ROWS[0]["positive"]}
    assert version.rows == 21 and version.rows_held_out in (4, 5) and len(sides) == 1
    client.force_login(admin)
    page = client.get(f"/dashboard/datasets/{pairs.dataset_id}/").content.decode()
    assert "What is in passage 3?" in page and "wrong: Passage 4" in page


@pytest.mark.parametrize(("row", "said"), [
    ({"query": "A?"}, "Row 21, positive: the field is missing"), ({"positive": "A."}, "Row 21, query: the field is"),
    ({"query": " ", "positive": "A."}, "Row 21, query: empty"),
    ({"query": "A?", "positive": "A.", "negatives": ["B.", 3]}, "Row 21, negatives[2]: not a text: 3"),
    ({"question": "A?", "context": "A.", "answers": []}, "Row 21, answers: empty"),
])
def test_a_row_that_cannot_be_used_is_named_with_its_field_and_mend(admin, row: dict[str, Any], said: str) -> None:
    version = datasets.create_with_file("Pairs", "retrieval", admin, "p.jsonl", lines([*ROWS, row]))
    assert version.rows == 20 and not version.is_accepted
    assert sentences.problem(version.report["problems"][0]).startswith(said)


def test_the_right_passage_is_taken_out_of_the_wrong_ones(admin) -> None:
    row = {"query": "A?", "positive": "A.", "negatives": ["B.", "A.", "B."]}
    version = datasets.create_with_file("Pairs", "retrieval", admin, "p.jsonl", lines([*ROWS, row]))
    [kept] = [one for one in rows_file.rows(version) if one["query"] == "A?"]
    assert kept["negatives"] == ["B."] and version.is_accepted
    assert "was also among the wrong ones" in sentences.problem(version.report["problems"][0])


def test_the_form_offers_its_settings_and_a_job_says_what_to_train(pairs, admin) -> None:
    names = {setting.name for setting in launch_form.settings_of("retrieval", {})}
    assert {"base", "method", "mined_negatives", "temperature"} <= names
    job = jobs.launch("retrieval", pairs, {"epochs": "2"}, admin)
    orders.prepare(job)
    spec = json.loads((places.job(job.pk) / "spec.json").read_text())
    assert spec["register"]["name"] == ENCODER and spec["settings"]["base"].startswith("package:")


def measured(data: DatasetVersion, version: str, folder: Path) -> Evaluation:
    """The starter encoder's own figures, as a finished job leaves them, under another version."""
    job = Job(kind=JobKind.EVALUATE, task="retrieval", data=data, data_label=str(data), queued_at=data.created_at,
              options={"models": [f"{ENCODER}@{version}"]})
    job.save()
    places.job(job.pk).mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    order = Order(data=places.side(data, "held-out"), model=ENCODER, models_folder=folder, keep=rows.append)
    report = TASKS["retrieval"].run(order).model_dump(exclude_none=True)
    (places.job(job.pk) / "examples-0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcomes.take_in(job, {"reports": [report]})
    return job.evaluations.get()


def test_encoders_are_measured_by_the_sites_own_search_and_compared_question_by_question(
    pairs, admin, client, tmp_path
) -> None:
    before, after = (measured(pairs, version, tmp_path) for version in ("v1", "v2"))
    assert before.n == 4 and 0 < before.metrics["recall@1"] <= before.metrics["recall@5"] == 1.0
    told = promoting.compare(before, after)
    assert told["ndcg@10"].difference == 0 and {"recall@1", "recall@5", "recall@20", "mrr"} <= told.keys()
    client.force_login(admin)
    page = client.get(f"/dashboard/evaluations/{after.pk}/?with={before.pk}").content.decode()
    assert "What is in passage" in page and "<td>1.000</td><td>1.000</td>" in page


def test_marks_become_a_data_set_that_grows(models, redis_url, admin, alice, client, settings) -> None:
    text = "The lamp burns whale oil. The keeper, jo@example.org, fills it."
    collection = add_collection(admin, "Sea", lamp=text)
    document = collection.documents.get()
    client.force_login(admin)
    assert client.post("/dashboard/datasets/marks/make/", follow=True).redirect_chain[-1][0] == "/search/"
    marking.mark(admin, document, "What burns?", 0, 25, True)
    assert client.post("/dashboard/datasets/marks/make/").status_code == 302
    settings.MASK_PERSONAL_DATA = True
    marking.mark(admin, document, "Who fills the lamp?", 26, len(text), True)
    marking.mark(admin, document, "Who fills the lamp?", 0, 25, False)
    page = client.post("/dashboard/datasets/marks/make/", follow=True).content.decode()
    assert "Marked passages" in page and "v2" in page
    version = DatasetVersion.objects.get(dataset__name="Marked passages", number=2)
    rows = {row["query"]: row for row in rows_file.rows(version)}
    assert rows["What burns?"]["positive"] == "The lamp burns whale oil."
    assert rows["Who fills the lamp?"]["negatives"] == ["The lamp burns whale oil."]
    assert "jo@example.org" not in rows["Who fills the lamp?"]["positive"]
    client.force_login(alice)
    assert client.post("/dashboard/datasets/marks/make/").status_code == 403
