"""Jobs from the launch to their end through the dashboard's services, each with its real child process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_service.registry import TRANSLATOR, versions_in
from models_service.translation_pairs import pairs_of
from tests.models_service.tiny_reader import save_tiny_reader
from tests.models_service.tiny_translator import save_tiny_translator
from webapp.training import datasets, jobs, places, promoting, running
from webapp.training.models import Evaluation, Job, JobKind, JobStatus

pytestmark = pytest.mark.django_db
SMALL = {"max_length": 64, "stride": 16, "batch_size": 4, "rank": 4, "precision": "float32"}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def done(job: Job) -> Job:
    running.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.DONE, (job.error, job.log_tail)
    return job


def test_a_pre_flight_says_what_the_training_would_take_and_makes_no_model(
    admin, settings, squad_file: Path, tmp_path: Path
) -> None:
    versions = versions_in(settings.DATA_DIR / "models")
    save_tiny_reader(tmp_path / "tiny", seed=1)
    base = versions.register(tmp_path / "tiny", "tiny")
    data = datasets.create_with_file("Where", "qa", admin, "where.json", [squad_file.read_bytes()])
    job = done(jobs.launch("qa", data, {"base": "tiny@v1", "epochs": 3, **SMALL}, admin, kind=JobKind.MEASURE))
    measured = job.result["measured"]
    assert measured["examples"] >= 3 * data.rows_train and measured["steps"] >= measured["examples"] / 4
    assert measured["seconds"] == pytest.approx(measured["steps"] * measured["seconds_per_step"], abs=0.1)
    assert measured["disk_bytes"] > sum(file.size for file in base.files.values()) / 2
    assert measured["memory_bytes"] > 0 and job.result["free_memory_bytes"] > 0 and "advice" in job.result
    assert versions.versions("tiny") == ["v1"] and not (places.job(job.pk) / "model").exists()


@pytest.mark.slow
def test_a_translator_is_trained_further_in_both_directions_and_measured_beside_its_base(
    admin, settings, tmp_path: Path
) -> None:
    versions = versions_in(settings.DATA_DIR / "models")
    versions.register(save_tiny_translator(tmp_path / "tiny"), TRANSLATOR)
    rows = [{"en": f"The train leaves at {n}:45.", "de": f"Der Zug fährt um {n}:45 Uhr ab."} for n in range(30)]
    file = "\n".join(map(json.dumps, rows)).encode()
    data = datasets.create_with_file("Trains", "translate", admin, "trains.jsonl", [file])
    options = {"base": f"{TRANSLATOR}@v1", "pairs": "en-de, de-en", "epochs": 1, "batch_tokens": 400,
               "precision": "float32", "evaluation_limit": 2}
    trained = done(jobs.launch("translate", data, options, admin))
    assert trained.result == {"name": TRANSLATOR, "version": "v2"} and trained.step == trained.steps > 0
    assert trained.metrics.keys() == {"bleu de-en", "bleu en-de"}
    folder = versions.directory(TRANSLATOR, "v2")
    assert {(one.source, one.target) for one in pairs_of(folder)} == {("en", "de"), ("de", "en")}
    assert json.loads((folder / "card.json").read_text())["data"]["name"] == "Trains"

    both = [f"{TRANSLATOR}@v1", f"{TRANSLATOR}@v2"]
    done(jobs.evaluate("translate", data, both, admin, options={"source": "en", "target": "de"}))
    before, after = (Evaluation.objects.get(version=version) for version in ("v1", "v2"))
    assert before.n == after.n == data.rows_held_out and before.condition == "en → de"
    assert promoting.compare(before, after).keys() == before.metrics.keys() == {"bleu", "chrf"}
