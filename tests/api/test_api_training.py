"""REST for improving models: administrators only, the same services as the dashboard, errors in the one shape."""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.conftest import is_problem
from webapp.training.models import Job, JobStatus

pytestmark = pytest.mark.django_db

ROWS = [{"question": f"Where is {i}?", "context": f"Number {i} is in Oslo.", "answer": "Oslo"} for i in range(10)]


def file(content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("rows.json", json.dumps(ROWS).encode() if content is None else content)


@pytest.fixture
def version(admin, program) -> dict:
    made = program(admin).post("/api/v1/datasets/", {"name": "Numbers", "task": "qa", "file": file()})
    assert made.status_code == 201, made.content
    return made.json()["versions"][0]


@pytest.mark.parametrize("path", ["datasets", "jobs", "evaluations", "models"])
def test_only_administrators_reach_any_of_it(program, alice, admin, path: str) -> None:
    address = f"/api/v1/{path}/"
    is_problem(program(alice).get(address), 403)
    is_problem(program(alice).post(address, {}, content_type="application/json"), 403)
    assert program(admin).get(address).status_code == 200


@pytest.mark.parametrize("path", [
    "/dashboard/", "/dashboard/datasets/", "/dashboard/datasets/corrections/", "/dashboard/evaluations/",
    "/dashboard/models/", "/dashboard/jobs/new/", "/dashboard/models/wenda-reader/starter/",
])
def test_the_pages_are_for_administrators(browser, alice, admin, path: str) -> None:
    assert browser(alice).get(path).status_code == 403
    assert browser().get(path).url.startswith("/sign-in/")
    assert browser(admin).get(path).status_code == 200


def test_a_data_set_is_uploaded_listed_searched_and_deleted(program, admin, version) -> None:
    client = program(admin)
    (listed,) = client.get("/api/v1/datasets/").json()["results"]
    assert listed["versions"] == [version] and (version["rows_train"], version["rows_held_out"]) == (8, 2)
    rows = client.get(f"/api/v1/datasets/{listed['id']}/rows/?q=number 7").json()["rows"]
    assert [row["question"] for row in rows] == ["Where is 7?"]
    assert client.delete(f"/api/v1/datasets/{listed['id']}/").status_code == 204
    is_problem(client.get(f"/api/v1/datasets/{listed['id']}/"), 404)


@pytest.mark.parametrize(("fields", "field"), [
    ({"task": "qa"}, "name"), ({"name": "A"}, "task"), ({"name": "A", "task": "qa", "file": file(b"")}, "file"),
    ({"name": "A", "task": "poetry"}, "task"), ({"name": "A", "task": "qa", "held_out_share": 2}, "held_out_share"),
])
def test_an_upload_that_cannot_be_used_names_its_field(program, admin, fields: dict, field: str) -> None:
    problem = is_problem(program(admin).post("/api/v1/datasets/", {"file": file(), **fields}), 400)
    assert field in problem["errors"]


def test_a_job_is_queued_cancelled_and_resumed(program, admin, version) -> None:
    client = program(admin)
    made = client.post("/api/v1/jobs/", {"task": "qa", "data": version["id"], "settings": {"epochs": 1}},
                       content_type="application/json")
    assert made.status_code == 202
    job = f"/api/v1/jobs/{made.json()['id']}/"
    assert client.get(job).json()["status"] == "queued"
    is_problem(client.delete(job), 409)
    assert client.post(f"{job}cancel/").json()["status"] == "cancelled"
    is_problem(client.post(f"{job}pause/"), 409)
    assert client.post(f"{job}resume/").json()["status"] == "queued"
    second = client.post("/api/v1/jobs/", {"task": "qa", "data": version["id"]}, content_type="application/json")
    assert second.json()["waits_for"] == [str(Job.objects.get(pk=made.json()["id"]))]


def test_a_job_with_a_wrong_setting_or_without_its_data_is_refused(program, admin, version) -> None:
    client = program(admin)
    wrong = ({"data": version["id"], "settings": {"rank": -1}}, "rank"), ({"data": str(uuid.uuid4())}, "data")
    for body, field in wrong:
        refused = client.post("/api/v1/jobs/", {"task": "qa", **body}, content_type="application/json")
        assert field in is_problem(refused, 400)["errors"]


def test_an_evaluation_is_queued_for_models_that_there_are(program, admin, version) -> None:
    client = program(admin)
    order = {"task": "qa", "data": version["id"], "models": ["wenda-reader@starter"]}
    made = client.post("/api/v1/evaluations/", order, content_type="application/json")
    assert made.status_code == 202 and made.json()["kind"] == "evaluate"
    for models in (["nobody"], ["all-MiniLM-L6-v2@starter"]):
        refused = client.post("/api/v1/evaluations/", {**order, "models": models}, content_type="application/json")
        assert "models" in is_problem(refused, 400)["errors"]


def test_models_are_listed_and_what_cannot_be_served_is_refused(program, admin) -> None:
    client = program(admin)
    served = {(row["name"], row["version"]): row["served"] for row in client.get("/api/v1/models/").json()["results"]}
    assert served["wenda-reader", "starter"] == "current"
    promote = "/api/v1/models/wenda-reader/promote/"
    is_problem(client.post(promote, {"version": "starter"}, content_type="application/json"), 409)
    is_problem(client.post(promote, {"version": "v7"}, content_type="application/json"), 404)
    is_problem(client.post("/api/v1/models/wenda-reader/rollback/", {}, content_type="application/json"), 409)
    is_problem(client.get("/api/v1/models/nobody/"), 404)


def test_the_page_of_a_job_shows_it_and_its_settings(browser, admin, program, version) -> None:
    made = program(admin).post("/api/v1/jobs/", {"task": "qa", "data": version["id"], "settings": {"epochs": 3}},
                               content_type="application/json").json()
    page = browser(admin).get(made["url"]).content.decode()
    assert "learning_rate" in page and "Numbers v1" in page and 'id="job-data"' in page
    Job.objects.update(status=JobStatus.FAILED, error="<b>No memory</b>")
    page = browser(admin).get("/dashboard/").content.decode()
    assert "&lt;b&gt;No memory" in page
    compared = browser(admin).get(f"/dashboard/jobs/compare/?a={made['id']}&b={made['id']}")
    assert compared.status_code == 200
