"""A round of a retraining, from a data set that has grown to a version that is proposed or served."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from models_service.registry import READER, versions_in
from tests.training.rounds_at_work import BETTER, WORSE, file, measured, trained, went_on
from webapp.audit.models import Action, Entry
from webapp.training import datasets, places, promoting, retraining, rounds, running, subjects
from webapp.training.models import (
    DatasetVersion,
    Evaluation,
    Job,
    JobKind,
    JobStatus,
    Promotion,
    Retraining,
    Round,
    Stage,
)

pytestmark = pytest.mark.django_db


def test_it_is_trained_from_what_is_served_once_for_each_version(keepers, admin, grow) -> None:
    retraining.add(keepers.dataset, 24, admin, options={"epochs": 3})
    job = went_on().training
    assert (job.kind, job.data, job.options) == (JobKind.TRAIN, keepers, {"epochs": 3, "base": f"{READER}@starter"})
    assert job.created_by == admin
    newer = grow()
    assert went_on().data == keepers  # a round at a time
    Job.objects.update(status=JobStatus.FAILED)
    went_on()
    assert went_on().data == newer and Job.objects.count() == 2
    Job.objects.update(status=JobStatus.FAILED)
    datasets.add_version(keepers.dataset, admin, "most.json", file(30))
    went_on()
    assert went_on().data == newer  # too early
    until_next = Retraining.objects.get().next_at - timezone.now()
    assert timedelta(hours=23) < until_next <= timedelta(hours=24)
    Retraining.objects.update(next_at=timezone.now())
    assert went_on().data.number == 3


def test_what_passes_is_proposed_and_served_by_a_person_only(
    keepers, admin, tiny_reader: Path, client, comes_up
) -> None:
    retraining.add(keepers.dataset, 24, admin)
    version = trained(went_on(), tiny_reader)
    one = went_on()
    assert one.measuring.options["models"] == [f"{READER}@{version}", f"{READER}@starter"]
    assert (one.measuring.data, went_on().measuring) == (keepers, one.measuring)
    measured(one, *BETTER)
    one = went_on()
    assert (one.stage, one.verdict, one.figures["metric"]) == (Stage.PROPOSED, "passes", "f1")
    assert one.figures["after"] - one.figures["before"] == pytest.approx(50)
    assert rounds.next_to_serve() is None and subjects.registry().live(READER).current == "starter"
    client.force_login(admin)
    page = client.get("/dashboard/").content.decode()
    assert "was trained by itself on “Keepers v1”" in page and f"/dashboard/models/{READER}/{version}/" in page
    assert f"f1: starter 50.00 → {version} 100.00" in page
    assert "Proposed" in client.get("/dashboard/evaluations/").content.decode()
    promoting.promote(READER, version, admin)
    assert not retraining.proposals() and "was trained by itself" not in client.get("/dashboard/").content.decode()
    assert went_on().stage == Stage.PROMOTED


def test_what_passes_is_served_by_itself_where_that_was_chosen(judged, admin, comes_up) -> None:
    one = judged(BETTER, promotes=True)
    assert one.stage == Stage.PASSED
    ready = rounds.next_to_serve()
    rounds.serve(ready)
    rounds.serve(ready)  # another worker that saw the same
    one.refresh_from_db()
    assert one.stage == Stage.PROMOTED and subjects.registry().live(READER).current == one.candidate
    promotion = Promotion.objects.get()
    assert promotion.reason.startswith("By itself: trained again on “Keepers v1”") and promotion.by == admin
    assert not promotion.is_against_rule and promotion.figures["verdict"] == "passes"
    assert Entry.objects.get(action=Action.PROMOTED).details["reason"] == promotion.reason
    assert rounds.next_to_serve() is None


def test_what_the_rule_refuses_is_told_and_not_proposed_again(judged, admin, grow, client) -> None:
    one = judged(WORSE, promotes=True)
    assert (one.stage, one.verdict) == (Stage.REFUSED, "fails") and not retraining.proposals()
    Retraining.objects.update(next_at=timezone.now())
    assert went_on() == one and rounds.next_to_serve() is None
    client.force_login(admin)
    assert "The rule does not allow it" in client.get("/dashboard/evaluations/").content.decode()
    grow()
    assert went_on().data.number == 2


def test_a_newer_proposal_overtakes_an_older_one_and_one_is_dismissed(judged, admin, grow, client) -> None:
    first = judged(BETTER)
    grow()
    second = judged(BETTER)
    first.refresh_from_db()
    assert first.stage == Stage.OVERTAKEN and retraining.proposals() == [second]
    client.force_login(admin)
    for _time in range(2):
        assert client.post(f"/dashboard/retraining/rounds/{second.pk}/dismiss/").status_code == 302
    second.refresh_from_db()
    assert second.stage == Stage.DISMISSED and not retraining.proposals()


def test_a_proposed_version_whose_files_are_gone_is_proposed_no_more(judged, settings) -> None:
    one = judged(BETTER)
    shutil.rmtree(versions_in(settings.DATA_DIR / "models").directory(READER, one.candidate))
    one = went_on()
    assert one.stage == Stage.BROKEN and one.problem and not retraining.proposals()


def test_what_cannot_be_compared_any_more_is_proposed_unmeasured(judged, settings, tiny_reader: Path) -> None:
    """Meanwhile another version is served."""
    versions = versions_in(settings.DATA_DIR / "models")
    versions.register(tiny_reader, READER)
    versions.promote(READER, "v1")
    one = judged(BETTER, promotes=True)
    assert one.incumbent == "v1" and one.verdict == "passes"
    Round.objects.update(stage=Stage.MEASURING)
    versions.promote(READER, "starter")
    one = went_on()
    assert (one.stage, one.verdict, one.incumbent) == (Stage.PROPOSED, "unmeasured", "starter")


def test_rows_that_the_served_version_learned_from_are_told(judged, keepers, settings, tiny_reader: Path) -> None:
    versions = versions_in(settings.DATA_DIR / "models")
    versions.register(tiny_reader, READER)
    (versions.directory(READER, "v1") / "card.json").write_text(json.dumps({"data": {"id": str(keepers.pk)}}))
    versions.promote(READER, "v1")
    newer, _known = datasets.add_version(keepers.dataset, None, "other.json", file(14), share=0.5)
    learned = {row["context"] for row in _rows(keepers, "train")}
    expected = sum(row["context"] in learned for row in _rows(newer, "held-out"))
    assert judged(BETTER).seen == expected > 0


def _rows(version: DatasetVersion, side: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in places.rows(version.pk).read_text().splitlines()]
    return [row for row in rows if row["side"] == side]


def test_a_round_goes_all_the_way_with_real_children(
    keepers, admin, settings, tiny_reader: Path, monkeypatch
) -> None:
    """The rule is lifted: a tiny reader reads as badly after two steps as before."""
    settings.PROMOTE_MARGIN = 100
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    versions = versions_in(settings.DATA_DIR / "models")
    versions.promote(READER, versions.register(tiny_reader, READER).version)
    small = {"max_length": 64, "stride": 16, "batch_size": 4, "rank": 4, "precision": "float32", "max_steps": 2}
    retraining.add(keepers.dataset, 24, admin, options=small, promotes=True)
    for stage in (Stage.TRAINING, Stage.MEASURING):
        one = went_on()
        assert one.stage == stage
        job = one.training if stage == Stage.TRAINING else one.measuring
        running.run(job.pk)
        job.refresh_from_db()
        assert job.status == JobStatus.DONE, (job.error, job.log_tail)
    one = went_on()
    assert (one.candidate, one.incumbent, one.stage) == ("v2", "v1", Stage.PASSED)
    rounds.serve(rounds.next_to_serve())
    one.refresh_from_db()
    assert one.stage == Stage.PROMOTED and versions.live(READER).current == "v2"
    assert json.loads((versions.directory(READER, "v2") / "card.json").read_text())["base"] == f"{READER}@v1"
    assert Evaluation.objects.filter(data=keepers, n=2).count() == 2 and one.figures["metric"] == "f1"
