"""A model that is trained again whenever its data set has grown: each step of a round, and what may come between."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from models_service.registry import READER, versions_in
from tests.models_service.tiny_reader import save_tiny_reader
from webapp.audit.models import Action, Entry
from webapp.errors import BadInput, Conflict
from webapp.limits import meter
from webapp.ops import served_models
from webapp.training import (
    corrections,
    datasets,
    jobs,
    places,
    promoting,
    retraining,
    rounds,
    running,
    subjects,
    trainer,
)
from webapp.training.models import (
    Dataset,
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
BETTER, WORSE = ([0, 1] * 20, [1, 1] * 20), ([1, 1] * 20, [0, 1] * 20)


def file(count: int) -> list[bytes]:
    rows = [{"context": f"Keeper {n} lives in Oslo.", "question": "Where?", "answer": "Oslo"} for n in range(count)]
    return [json.dumps(rows).encode()]


@pytest.fixture
def data(admin, settings) -> DatasetVersion:
    settings.MODELS_SERVICE_URLS = []  # nobody serves
    return datasets.create_with_file("Keepers", "qa", admin, "keepers.json", file(10))


@pytest.fixture
def grow(data, admin) -> Callable[[], DatasetVersion]:
    """The data set's next version; it is time to look."""
    def grow() -> DatasetVersion:
        Retraining.objects.update(next_at=timezone.now())
        return datasets.add_version(data.dataset, admin, "more.json", file(11 + data.dataset.versions.count()))[0]

    return grow


@pytest.fixture
def comes_up(monkeypatch) -> None:
    """Every version, without a process of its own that tries it."""
    monkeypatch.setattr(served_models, "_try", lambda *_arguments: "")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny_reader(folder, seed=1)
    return folder


@pytest.fixture
def trained(settings, tiny: Path) -> Callable[[Round], str]:
    """The round's training comes to its end; the version that it made."""
    def trained(one: Round) -> str:
        version = versions_in(settings.DATA_DIR / "models").register(tiny, READER).version
        done(one.training, result={"name": READER, "version": version})
        return version

    return trained


def done(job: Job, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(status=JobStatus.DONE, **values)


def measured(one: Round, before: list[int], after: list[int]) -> None:
    """The round's evaluation comes to its end with these values of each row."""
    for version, values in ((one.incumbent, before), (one.candidate, after)):
        mean = 100 * sum(values) / len(values)
        made = Evaluation.objects.create(
            job=one.measuring, task="qa", model=READER, version=version, data=one.data, data_label=str(one.data),
            n=len(values), metrics={"em": mean, "f1": mean}, intervals={}, seconds=1)
        places.evaluation(made.pk).mkdir(parents=True)
        places.examples(made.pk).write_text("".join(
            json.dumps({"id": str(n), "em": value, "f1": value}) + "\n" for n, value in enumerate(values)))
    done(one.measuring)


def went_on() -> Round:
    """The newest round, after the worker has looked around once."""
    rounds.go_on()
    return Round.objects.first()


@pytest.fixture
def judged(admin, data, trained) -> Callable[..., Round]:
    """A round whose candidate was measured like this."""
    def judged(values: tuple[list[int], list[int]], **options: Any) -> Round:
        if not Retraining.objects.exists():
            retraining.add(data.dataset, 24, admin, **options)
        trained(went_on())
        measured(went_on(), *values)
        return went_on()

    return judged


def test_it_is_trained_from_what_is_served_once_for_each_version(data, admin, grow) -> None:
    retraining.add(data.dataset, 24, admin, options={"epochs": 3})
    job = went_on().training
    assert (job.kind, job.data, job.options) == (JobKind.TRAIN, data, {"epochs": 3, "base": f"{READER}@starter"})
    assert job.created_by == admin
    newer = grow()
    assert went_on().data == data  # a round at a time
    Job.objects.update(status=JobStatus.FAILED)
    went_on()
    assert went_on().data == newer and Job.objects.count() == 2
    Job.objects.update(status=JobStatus.FAILED)
    datasets.add_version(data.dataset, admin, "most.json", file(30))
    went_on()
    assert went_on().data == newer  # too early
    until_next = Retraining.objects.get().next_at - timezone.now()
    assert timedelta(hours=23) < until_next <= timedelta(hours=24)
    Retraining.objects.update(next_at=timezone.now())
    assert went_on().data.number == 3


def test_what_was_trained_on_before_is_not_trained_on_again(data, admin, grow) -> None:
    by_hand = jobs.launch("qa", data, {"epochs": 3, "base": f"{READER}@starter"}, admin)
    with pytest.raises(BadInput, match="finished fine-tune"):
        retraining.add_like(by_hand, 24, admin)
    done(by_hand)
    by_hand.refresh_from_db()
    like = retraining.add_like(by_hand, 24, admin)
    assert like.options == {"epochs": 3} and like.trained_number == 1 and went_on() is None
    retraining.end(like)
    retraining.add(data.dataset, 24, admin)
    assert went_on() is None
    grow()
    assert went_on().data.number == 2


def test_a_version_that_nobody_has_accepted_waits(data, admin, grow) -> None:
    retraining.add(data.dataset, 24, admin, trained_number=1)
    newer = grow()
    DatasetVersion.objects.filter(pk=newer.pk).update(is_accepted=False)
    assert went_on() is None
    datasets.accept(newer)
    Retraining.objects.update(next_at=timezone.now())
    assert went_on().data == newer


def test_what_passes_is_proposed_and_served_by_a_person_only(data, admin, trained, client, comes_up) -> None:
    retraining.add(data.dataset, 24, admin)
    version = trained(went_on())
    one = went_on()
    assert one.measuring.options["models"] == [f"{READER}@{version}", f"{READER}@starter"]
    assert (one.measuring.data, went_on().measuring) == (data, one.measuring)
    measured(one, *BETTER)
    one = went_on()
    assert (one.stage, one.verdict, one.figures["metric"]) == (Stage.PROPOSED, "passes", "f1")
    assert one.figures["after"] - one.figures["before"] == pytest.approx(50)
    assert rounds.next_to_serve() is None and subjects.registry().live(READER).current == "starter"
    client.force_login(admin)
    page = client.get("/dashboard/").content.decode()
    assert "was trained by itself on “Keepers v1”" in page and f"/dashboard/models/{READER}/{version}/" in page
    assert "f1 50.00 → 100.00" in page and "Proposed" in client.get("/dashboard/evaluations/").content.decode()
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


@pytest.mark.parametrize(("values", "told"), [
    ({"status": JobStatus.FAILED, "error": "The disk is full."}, "The disk is full."),
    ({"status": JobStatus.CANCELLED}, "Its job was cancelled."),
])
@pytest.mark.parametrize("kind", [JobKind.TRAIN, JobKind.EVALUATE])
def test_a_job_that_came_to_nothing_is_told_and_tried_again_on_request_only(
    data, admin, trained, client, kind: str, values: dict, told: str
) -> None:
    retraining.add(data.dataset, 24, admin)
    one = went_on()
    if kind == JobKind.EVALUATE:
        trained(one)
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


def test_a_paused_job_waits_and_a_deleted_one_is_trained_anew_on_request(data, admin) -> None:
    retraining.add(data.dataset, 24, admin)
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


def test_two_workers_do_no_step_twice(data, admin, trained) -> None:
    seen_by_both = retraining.add(data.dataset, 24, admin)
    rounds._look(seen_by_both)
    rounds._look(seen_by_both)
    one = Round.objects.select_related("retraining", "training", "data__dataset").get()
    version = trained(one)
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


def test_a_worker_that_is_killed_within_a_step_leaves_all_as_before(data, admin, trained, monkeypatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_arguments: Any, **_options: Any) -> None:
        raise Killed

    retraining.add(data.dataset, 24, admin)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Round.objects, "create", killed)
        rounds.go_on()
    assert not Job.objects.exists() and not Round.objects.exists()
    trained(went_on())
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


def test_a_version_that_cannot_be_measured_any_more_is_proposed_unmeasured(judged, settings, tiny: Path) -> None:
    """Meanwhile another version is served."""
    versions = versions_in(settings.DATA_DIR / "models")
    versions.register(tiny, READER)
    versions.promote(READER, "v1")
    one = judged(BETTER, promotes=True)
    assert one.incumbent == "v1" and one.verdict == "passes"
    Round.objects.update(stage=Stage.MEASURING)
    versions.promote(READER, "starter")
    one = went_on()
    assert (one.stage, one.verdict, one.incumbent) == (Stage.PROPOSED, "unmeasured", "starter")


def test_a_job_above_its_owners_limit_is_queued_later(data, admin, trained, monkeypatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise meter.LimitReached(meter.Standing("jobs", 1, 1, 60, 86_400))

    retraining.add(data.dataset, 24, admin)
    with monkeypatch.context() as patched:
        patched.setattr(meter, "start_jobs", refuse)
        assert went_on() is None
    found = Retraining.objects.get()
    assert "1 jobs a day" in found.problem and found.next_at <= timezone.now() + rounds.PUT_OFF
    assert went_on() is None
    Retraining.objects.update(next_at=timezone.now())
    trained(went_on())
    with monkeypatch.context() as patched:
        patched.setattr(meter, "start_jobs", refuse)
        one = went_on()
    assert one.stage == Stage.TRAINING and one.problem and went_on().stage == Stage.TRAINING
    Round.objects.update(not_before=timezone.now())
    one = went_on()
    assert (one.stage, one.problem) == (Stage.MEASURING, "")


def test_a_training_that_is_refused_is_told_and_keeps_no_other_from_going_on(data, admin, settings) -> None:
    other = datasets.create_with_file("Others", "qa", admin, "others.json", file(12))
    retraining.add(other.dataset, 24, admin)
    Retraining.objects.update(options={"epochs": -1})
    retraining.add(data.dataset, 24, admin)
    rounds.go_on()
    refused = Round.objects.get(data=other)
    assert refused.stage == Stage.BROKEN and refused.problem.startswith("epochs: ") and refused.training is None
    assert Round.objects.get(data=data).stage == Stage.TRAINING


def test_a_step_that_goes_wrong_is_tried_later_and_keeps_no_other_from_going_on(
    data, admin, trained, monkeypatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError("the disk")

    retraining.add(data.dataset, 24, admin)
    trained(went_on())
    other = datasets.create_with_file("Others", "qa", admin, "others.json", file(12))
    retraining.add(other.dataset, 24, admin)
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "evaluate", fail)
        rounds.go_on()
    one = Round.objects.get(data=data)
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


def test_rows_that_the_served_version_learned_from_are_told(judged, data, settings, tiny: Path) -> None:
    versions = versions_in(settings.DATA_DIR / "models")
    versions.register(tiny, READER)
    (versions.directory(READER, "v1") / "card.json").write_text(json.dumps({"data": {"id": str(data.pk)}}))
    versions.promote(READER, "v1")
    newer, _known = datasets.add_version(data.dataset, None, "other.json", file(14), share=0.5)
    learned = {row["context"] for row in _rows(data, "train")}
    expected = sum(row["context"] in learned for row in _rows(newer, "held-out"))
    assert judged(BETTER).seen == expected > 0


def _rows(version: DatasetVersion, side: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in places.rows(version.pk).read_text().splitlines()]
    return [row for row in rows if row["side"] == side]


def test_corrections_that_wait_become_a_version_first(admin, alice, settings) -> None:
    for number in range(8):
        corrected(alice, number)
    version, _known = corrections.make(admin)
    retraining.add(version.dataset, 24, admin, least_corrections=2, trained_number=1)
    corrected(alice, 8)
    assert went_on() is None and version.dataset.versions.count() == 1
    corrected(alice, 9)
    Retraining.objects.update(next_at=timezone.now())
    one = went_on()
    assert one.data.number == 2 and one.data.rows == 10 and one.data.created_by == admin
    assert corrections.waiting(admin, one.data.created_at) == 0


def corrected(person: Any, number: int) -> None:
    """An answer that was judged bad, with a note that stands in its passage."""
    from webapp.chat.models import Conversation, Feedback, Message, MessageRole

    talk = Conversation.objects.create(owner=person, title="Lamps")
    asked = Message.objects.create(conversation=talk, role=MessageRole.QUESTION, key="k", text="When was it built?")
    quote = f"Lighthouse {number} was built in {1871 + number}."
    cited = [{"document": "00000000-0000-0000-0000-000000000000", "quote": quote, "start": 0, "end": len(quote)}]
    answer = Message.objects.create(conversation=talk, role=MessageRole.ANSWER, key="k", parent=asked,
                                    text="In 1954.", payload={"citations": cited, "question": ""})
    Feedback.objects.create(message=answer, user=person, helpful=False, note=f"in {1871 + number}")


def test_nothing_is_done_for_who_is_no_administrator_any_more_until_another_takes_over(
    data, admin, client, grow, django_user_model
) -> None:
    other = django_user_model.objects.create_user(username="grace", role="admin")
    found = retraining.add(data.dataset, 24, other)
    one = went_on()
    Job.objects.update(status=JobStatus.FAILED)
    other.role = "user"
    other.save()
    assert went_on().stage == Stage.TRAINING
    Job.objects.all().delete()
    other.delete()
    rounds.go_on()
    one.refresh_from_db()
    assert one.stage == Stage.TRAINING
    client.force_login(admin)
    assert "is no administrator any more" in client.get("/dashboard/evaluations/").content.decode()
    Round.objects.update(stage=Stage.BROKEN)
    one.refresh_from_db()
    with pytest.raises(Conflict, match="Take it over"):
        retraining.again(Round.objects.get())
    client.post(f"/dashboard/retraining/{found.pk}/take-over/")
    grow()
    assert went_on().training.created_by == admin


def test_it_ends_with_its_data_set_or_when_that_is_wanted(data, admin, client) -> None:
    found = retraining.add(data.dataset, 24, admin)
    job = went_on().training
    with pytest.raises(Conflict, match="uses this data set"):
        datasets.delete(data.dataset)
    client.force_login(admin)
    client.post(f"/dashboard/retraining/{found.pk}/end/")
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED and not Retraining.objects.exists() and not Round.objects.exists()
    retraining.add(data.dataset, 24, admin)
    went_on()
    Job.objects.update(status=JobStatus.FAILED)
    datasets.delete(Dataset.objects.get())
    assert not Retraining.objects.exists() and went_on() is None


def test_it_is_set_up_on_the_pages_and_what_cannot_be_is_refused(data, admin, client) -> None:
    client.force_login(admin)
    good = {"task": "qa", "dataset": str(data.dataset_id), "every_hours": "5"}
    for wrong in ({"dataset": "x"}, {"dataset": ""}, {"every_hours": "0"}, {"every_hours": "745"},
                  {"every_hours": "x"}, {"least_corrections": "3"}, {"least_corrections": "x"}, {"source": "en"}):
        assert client.post("/dashboard/retraining/", {**good, **wrong}).status_code == 302
        assert not Retraining.objects.exists(), wrong
    assert 'id="retrain-dataset"' in client.get("/dashboard/evaluations/").content.decode()
    client.post("/dashboard/retraining/", {**good, "promotes": "on"})
    client.post("/dashboard/retraining/", good)  # once is enough
    found = Retraining.objects.get()
    assert (found.every_hours, found.promotes, found.created_by) == (5, True, admin)
    page = client.get("/dashboard/evaluations/").content.decode()
    assert "every 5 h" in page and "promotes by itself" in page and 'id="retrain-dataset"' not in page


def test_a_translator_is_trained_again_like_a_finished_job(admin, settings, client, tmp_path: Path) -> None:
    from models_service.registry import TRANSLATOR
    from tests.models_service.tiny_translator import save_tiny_translator

    versions_in(settings.DATA_DIR / "models").register(save_tiny_translator(tmp_path / "tiny"), TRANSLATOR)
    rows = "\n".join(json.dumps({"en": f"Go {n}.", "de": f"Geh {n}."}) for n in range(10)).encode()
    data = datasets.create_with_file("Trains", "translate", admin, "trains.jsonl", [rows])
    job = jobs.launch("translate", data, {"base": f"{TRANSLATOR}@v1", "pairs": "de-en", "epochs": 1}, admin)
    done(job)
    client.force_login(admin)
    assert f"/dashboard/jobs/{job.pk}/retrain/" in client.get(f"/dashboard/jobs/{job.pk}/").content.decode()
    client.post(f"/dashboard/jobs/{job.pk}/retrain/", {"every_hours": "48"})
    found = Retraining.objects.get()
    assert found.evaluation == {"source": "de", "target": "en"} and found.every_hours == 48
    assert found.options == {"pairs": ["de-en"], "epochs": 1} and found.trained_number == 1


def test_a_round_goes_all_the_way_with_real_children(data, admin, settings, tiny: Path, monkeypatch) -> None:
    """The rule is lifted: a tiny reader reads as badly after two steps as before."""
    settings.PROMOTE_MARGIN = 100
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    versions = versions_in(settings.DATA_DIR / "models")
    versions.promote(READER, versions.register(tiny, READER).version)
    small = {"max_length": 64, "stride": 16, "batch_size": 4, "rank": 4, "precision": "float32", "max_steps": 2}
    retraining.add(data.dataset, 24, admin, options=small, promotes=True)
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
    assert Evaluation.objects.filter(data=data, n=2).count() == 2 and one.figures["metric"] == "f1"
