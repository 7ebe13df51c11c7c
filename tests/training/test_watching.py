"""The served model measured again and again: when it is, what is warned of, and when it is taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from models_service.registry import READER, versions_in
from tests.models_service.tiny_reader import save_tiny_reader
from webapp.errors import BadInput
from webapp.training import datasets, subjects, watching
from webapp.training.models import DatasetVersion, Evaluation, Job, JobStatus, Promotion, Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(admin) -> DatasetVersion:
    rows = [{"context": f"Keeper {n} lives in Oslo.", "question": "Where?", "answer": "Oslo"} for n in range(10)]
    return datasets.create_with_file("Keepers", "qa", admin, "keepers.json", [json.dumps(rows).encode()])


def measured(watch: Watch, f1: float) -> Evaluation:
    """The watch's evaluation, come to its end with this result."""
    Watch.objects.update(last_at=None)
    job, = watching.queue_due()
    model, version = job.options["models"][0].split("@")
    one = Evaluation.objects.create(job=job, task="qa", model=model, version=version, data=watch.data, data_label="d",
                                    n=2, metrics={"em": f1, "f1": f1}, intervals={}, seconds=1)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.DONE)
    watching.judge(job)
    return one


def test_it_is_measured_when_its_time_has_come_and_never_twice_at_once(data, admin) -> None:
    watch = watching.add(data, 24, admin)
    job, = watching.queue_due()
    assert job.options["models"] == [f"{READER}@starter"] and job.data == data
    assert not watching.queue_due()
    Watch.objects.update(last_at=timezone.now() - timedelta(hours=25))
    assert not watching.queue_due()  # the first has not ended
    Job.objects.update(status=JobStatus.DONE)
    again, = watching.queue_due()
    watch.refresh_from_db()
    assert again != job and watch.last_job == again


def test_a_fall_is_warned_of_until_it_is_over(data, admin, client) -> None:
    watch = watching.add(data, 24, admin)
    client.force_login(admin)
    measured(watch, 80.0)
    measured(watch, 79.5)  # within the margin
    assert not watching.falls()
    measured(watch, 60.0)
    fall, = watching.falls()
    assert (fall.metric, fall.values) == ("f1", (80.0, 60.0))
    assert "has fallen on" in client.get("/dashboard/").content.decode()
    measured(watch, 60.0)
    assert watching.falls()
    measured(watch, 80.0)
    assert not watching.falls()


def test_many_small_falls_are_a_fall(data, admin, settings) -> None:
    watch = watching.add(data, 24, admin)
    step = 0.6 * settings.PROMOTE_MARGIN
    measured(watch, 80.0)
    measured(watch, 80.0 - step)
    assert not watching.falls()
    measured(watch, 80.0 - 2 * step)
    assert watching.falls()


def test_a_version_that_falls_is_taken_back_when_that_was_asked_for(data, admin, settings, tmp_path: Path) -> None:
    settings.MODELS_SERVICE_URLS = []
    watch = watching.add(data, 24, admin, rolls_back=True)
    measured(watch, 80.0)
    versions = versions_in(settings.DATA_DIR / "models")
    save_tiny_reader(tmp_path / "tiny", seed=1)
    versions.promote(READER, versions.register(tmp_path / "tiny", READER).version)
    measured(watch, 10.0)
    assert subjects.registry().live(READER).current == "starter"
    assert Promotion.objects.get().is_rollback and not watching.falls()


def test_what_cannot_be_measured_cannot_be_watched(data, admin, client) -> None:
    for hours in (0, 745):
        with pytest.raises(BadInput, match="hours"):
            watching.add(data, hours, admin)
    client.force_login(admin)
    for values in ({}, {"task": "qa", "data": "x"}, {"task": "translate", "data": str(data.pk), "every_hours": "5"}):
        assert client.post("/dashboard/evaluations/watches/", values).status_code == 302
    assert not Watch.objects.exists()
    client.post("/dashboard/evaluations/watches/", {"task": "qa", "data": str(data.pk), "every_hours": "5"})
    watch = Watch.objects.get()
    assert watch.every_hours == 5 and "every 5 h" in client.get("/dashboard/evaluations/").content.decode()
    client.post(f"/dashboard/evaluations/watches/{watch.pk}/delete/")
    assert not Watch.objects.exists()
