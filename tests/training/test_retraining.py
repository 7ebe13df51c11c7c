"""What is trained again by itself: set up, ended, stopped with its owner, and what it looks at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from models_service.registry import READER, TRANSLATOR, versions_in
from tests.models_service.tiny_translator import save_tiny_translator
from tests.training.rounds_at_work import done, went_on
from webapp.errors import BadInput, Conflict
from webapp.training import corrections, datasets, jobs, retraining, rounds
from webapp.training.models import Dataset, DatasetVersion, Job, JobStatus, Retraining, Round, Stage

pytestmark = pytest.mark.django_db


def test_what_was_trained_on_before_is_not_trained_on_again(keepers, admin, grow) -> None:
    by_hand = jobs.launch("qa", keepers, {"epochs": 3, "base": f"{READER}@starter"}, admin)
    with pytest.raises(BadInput, match="finished fine-tune"):
        retraining.add_like(by_hand, 24, admin)
    done(by_hand)
    by_hand.refresh_from_db()
    like = retraining.add_like(by_hand, 24, admin)
    assert like.options == {"epochs": 3} and like.trained_number == 1 and went_on() is None
    retraining.end(like)
    retraining.add(keepers.dataset, 24, admin)
    assert went_on() is None
    grow()
    assert went_on().data.number == 2


def test_a_version_that_nobody_has_accepted_waits(keepers, admin, grow) -> None:
    retraining.add(keepers.dataset, 24, admin, trained_number=1)
    newer = grow()
    DatasetVersion.objects.filter(pk=newer.pk).update(is_accepted=False)
    assert went_on() is None
    datasets.accept(newer)
    Retraining.objects.update(next_at=timezone.now())
    assert went_on().data == newer


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
    keepers, admin, client, grow, django_user_model
) -> None:
    other = django_user_model.objects.create_user(username="grace", role="admin")
    found = retraining.add(keepers.dataset, 24, other)
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


def test_it_ends_with_its_data_set_or_when_that_is_wanted(keepers, admin, client) -> None:
    found = retraining.add(keepers.dataset, 24, admin)
    job = went_on().training
    with pytest.raises(Conflict, match="uses this data set"):
        datasets.delete(keepers.dataset)
    client.force_login(admin)
    client.post(f"/dashboard/retraining/{found.pk}/end/")
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED and not Retraining.objects.exists() and not Round.objects.exists()
    retraining.add(keepers.dataset, 24, admin)
    went_on()
    Job.objects.update(status=JobStatus.FAILED)
    datasets.delete(Dataset.objects.get())
    assert not Retraining.objects.exists() and went_on() is None


def test_it_is_set_up_on_the_pages_and_what_cannot_be_is_refused(keepers, admin, client) -> None:
    client.force_login(admin)
    good = {"task": "qa", "dataset": str(keepers.dataset_id), "every_hours": "5"}
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
