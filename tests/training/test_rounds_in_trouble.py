"""Rounds whose jobs come to nothing, whose workers are killed or meet each other, and what cannot be done now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from models_service.registry import READER, versions_in
from tests.training.rounds_at_work import BETTER, file, measured, trained, went_on
from webapp.errors import Conflict
from webapp.limits import meter
from webapp.training import datasets, jobs, promoting, retraining, rounds, trainer
from webapp.training.models import Job, JobKind, JobStatus, Promotion, Retraining, Round, Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("values", "told"), [
    ({"status": JobStatus.FAILED, "error": "The disk is full."}, "The disk is full."),
    ({"status": JobStatus.CANCELLED}, "Its job was cancelled."),
])
@pytest.mark.parametrize("kind", [JobKind.TRAIN, JobKind.EVALUATE])
def test_a_job_that_came_to_nothing_is_told_and_tried_again_on_request_only(
    keepers, admin, tiny_reader: Path, client, kind: str, values: dict, told: str
) -> None:
    retraining.add(keepers.dataset, 24, admin)
    one = went_on()
    if kind == JobKind.EVALUATE:
        trained(one, tiny_reader)
        one = went_on()
    Job.objects.filter(kind=kind).update(**values)
    one = went_on()
    assert (one.stage, one.problem) == (Stage.BROKEN, told)
    Retraining.objects.update(next_at=timezone.now())
    assert went_on() == one and Job.objects.filter(kind=kind).count() == 1
    client.force_login(admin)
    assert told in client.get("/dashboard/evaluations/").content.decode()
    for _time in range(2):  # the second finds it under way
        client.post(f"/dashboard/retraining/rounds/{one.pk}/again/")
    assert Job.objects.get(kind=kind).status == JobStatus.QUEUED
    assert went_on().stage == (Stage.TRAINING if kind == JobKind.TRAIN else Stage.MEASURING)


def test_a_paused_job_waits_and_a_deleted_one_is_trained_anew_on_request(keepers, admin) -> None:
    retraining.add(keepers.dataset, 24, admin)
    job = went_on().training
    Job.objects.update(status=JobStatus.PAUSED)
    assert went_on().stage == Stage.TRAINING
    jobs.delete(job)
    one = went_on()
    assert (one.stage, one.problem) == (Stage.BROKEN, "Its job was deleted.")
    retraining.again(one)
    with pytest.raises(Conflict, match="came to nothing"):
        retraining.again(one)
    assert went_on().stage == Stage.TRAINING and Job.objects.get() != job


def test_two_workers_do_no_step_twice(keepers, admin, tiny_reader: Path) -> None:
    seen_by_both = retraining.add(keepers.dataset, 24, admin)
    rounds._look(seen_by_both)
    rounds._look(seen_by_both)
    one = Round.objects.select_related("retraining", "training", "data__dataset").get()
    version = trained(one, tiny_reader)
    one.training.refresh_from_db()
    rounds._after_training(one)
    rounds._after_training(one)
    assert [job.kind for job in Job.objects.order_by("created_at")] == [JobKind.TRAIN, JobKind.EVALUATE]
    one = Round.objects.select_related("retraining", "measuring", "data__dataset").get()
    measured(one, *BETTER)
    one.measuring.refresh_from_db()
    rounds._after_measuring(one)
    retraining.dismiss(one)
    rounds._after_measuring(one)
    one.refresh_from_db()
    assert (one.stage, one.candidate) == (Stage.DISMISSED, version)


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_the_same_moment_begin_one_round_and_measure_once(
    keepers, admin, tiny_reader: Path
) -> None:
    retraining.add(keepers.dataset, 24, admin)
    all_at_once(rounds.go_on)
    assert Job.objects.get().kind == JobKind.TRAIN
    trained(Round.objects.get(), tiny_reader)
    all_at_once(rounds.go_on)
    assert Round.objects.get().measuring == Job.objects.get(kind=JobKind.EVALUATE)


def all_at_once(work: Callable[[], None]) -> None:
    """By four threads, each with a connection of its own."""
    ready = threading.Barrier(4)

    def begin() -> None:
        try:
            ready.wait(30)
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_a_worker_that_is_killed_within_a_step_leaves_all_as_before(
    keepers, admin, tiny_reader: Path, monkeypatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_arguments: Any, **_options: Any) -> None:
        raise Killed

    retraining.add(keepers.dataset, 24, admin)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Round.objects, "create", killed)
        rounds.go_on()
    assert not Job.objects.exists() and not Round.objects.exists()
    trained(went_on(), tiny_reader)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(jobs, "queued", killed)
        rounds.go_on()
    assert Round.objects.get().stage == Stage.TRAINING
    assert went_on().stage == Stage.MEASURING and Job.objects.count() == 2


@pytest.mark.parametrize("was_served", [True, False])
def test_a_promotion_that_was_cut_off_is_taken_up_again(judged, settings, comes_up, was_served: bool) -> None:
    one = judged(BETTER, promotes=True)
    Round.objects.update(stage=Stage.SERVING, not_before=timezone.now() + rounds.SERVING_LASTS)
    if was_served:
        versions_in(settings.DATA_DIR / "models").promote(READER, one.candidate)
    assert rounds.next_to_serve() is None  # another worker may be at it
    Round.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    rounds.serve(rounds.next_to_serve())
    one.refresh_from_db()
    promotion = Promotion.objects.get()
    assert (promotion.version, promotion.before) == (one.candidate, "starter") and one.stage == Stage.PROMOTED


def test_what_cannot_be_served_by_itself_waits_for_a_person(judged, monkeypatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise Conflict("It does not load.")

    one = judged(BETTER, promotes=True)
    monkeypatch.setattr(promoting, "_serve", refuse)
    rounds.serve(rounds.next_to_serve())
    one.refresh_from_db()
    assert (one.stage, one.problem) == (Stage.PROPOSED, "It does not load.") and retraining.proposals() == [one]
    assert rounds.next_to_serve() is None


def test_a_job_above_its_owners_limit_is_queued_later(keepers, admin, tiny_reader: Path, monkeypatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise meter.LimitReached(meter.Standing("jobs", 1, 1, 60, 86_400))

    retraining.add(keepers.dataset, 24, admin)
    with monkeypatch.context() as patched:
        patched.setattr(meter, "start_jobs", refuse)
        assert went_on() is None
    found = Retraining.objects.get()
    assert "1 jobs a day" in found.problem and found.next_at <= timezone.now() + rounds.PUT_OFF
    assert went_on() is None
    Retraining.objects.update(next_at=timezone.now())
    trained(went_on(), tiny_reader)
    with monkeypatch.context() as patched:
        patched.setattr(meter, "start_jobs", refuse)
        one = went_on()
    assert one.stage == Stage.TRAINING and one.problem and went_on().stage == Stage.TRAINING
    Round.objects.update(not_before=timezone.now())
    one = went_on()
    assert (one.stage, one.problem) == (Stage.MEASURING, "")


def test_a_training_that_is_refused_is_told_and_keeps_no_other_from_going_on(keepers, admin, settings) -> None:
    other = datasets.create_with_file("Others", "qa", admin, "others.json", file(12))
    retraining.add(other.dataset, 24, admin)
    Retraining.objects.update(options={"epochs": -1})
    retraining.add(keepers.dataset, 24, admin)
    rounds.go_on()
    refused = Round.objects.get(data=other)
    assert refused.stage == Stage.BROKEN and refused.problem.startswith("epochs: ") and refused.training is None
    assert Round.objects.get(data=keepers).stage == Stage.TRAINING


def test_a_step_that_goes_wrong_is_tried_later_and_keeps_no_other_from_going_on(
    keepers, admin, tiny_reader: Path, monkeypatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError("the disk")

    retraining.add(keepers.dataset, 24, admin)
    trained(went_on(), tiny_reader)
    other = datasets.create_with_file("Others", "qa", admin, "others.json", file(12))
    retraining.add(other.dataset, 24, admin)
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "evaluate", fail)
        rounds.go_on()
    one = Round.objects.get(data=keepers)
    assert one.stage == Stage.TRAINING and one.not_before > timezone.now()
    assert Round.objects.get(data=other).stage == Stage.TRAINING
    Round.objects.update(not_before=timezone.now())
    rounds.go_on()
    one.refresh_from_db()
    assert one.stage == Stage.MEASURING


def test_a_worker_promotes_one_at_a_time_beside_showing_that_it_lives(monkeypatch) -> None:
    begun, over, served = threading.Event(), threading.Event(), []

    def serve(one: Round) -> None:
        served.append(one)
        begun.set()
        assert over.wait(30)

    monkeypatch.setattr(rounds, "next_to_serve", Round)
    monkeypatch.setattr(rounds, "serve", serve)
    attendant = trainer.Attendant()
    attendant._serve_what_passed()
    assert begun.wait(30)
    attendant._serve_what_passed()
    over.set()
    attendant._serving.join(30)
    assert len(served) == 1
