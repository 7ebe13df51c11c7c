"""Preferences on the dashboard: their data sets, those made of corrections, the form, a job, what may be promoted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from models_service.formats.preferences import read_preferences
from models_service.registry import Versions, versions_in
from qa.prompt import NO_ANSWER
from tests.training.test_preferences_recipe import rows
from webapp.chat.models import Conversation, Feedback, Message, MessageRole
from webapp.errors import BadInput, Conflict
from webapp.training import (
    corrections,
    datasets,
    jobs,
    launch_form,
    orders,
    places,
    preferred_answers,
    promoting,
    rows_file,
    running,
    sentences,
    subjects,
)
from webapp.training.models import DatasetVersion, Evaluation, Job, JobKind, JobStatus

pytestmark = pytest.mark.django_db
WRITER = subjects.WRITER
SMALL = {"rank": 4, "batch_size": 4, "precision": "float32", "max_length": 128}


def lines(rows: list[dict[str, Any]]) -> list[bytes]:
    return ["\n".join(map(json.dumps, rows)).encode()]


@pytest.fixture
def pairs(admin) -> DatasetVersion:
    return datasets.create_with_file("Pairs", "preferences", admin, "pairs.jsonl", lines(rows(30)))


@pytest.fixture
def versions(settings, tiny_generator: Path) -> Versions:
    """A generator is served; no model service runs."""
    settings.MODELS_SERVICE_URLS = []
    made = versions_in(settings.DATA_DIR / "models")
    made.promote(WRITER, made.register(tiny_generator, WRITER).version)
    return made


def test_a_file_becomes_a_data_set_that_shows_both_answers(admin, client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(admin)
    table = "prompt,chosen,rejected\n" + "".join(f"Question {n}?,Yes {n}.,No {n}.\n" for n in range(10))
    file = SimpleUploadedFile("pairs.csv", table.encode())
    page = client.post("/dashboard/datasets/", {"file": file, "task": "preferences"}, follow=True).content.decode()
    assert "Question 3?" in page and '<span class="badge good">better</span> Yes 3.' in page
    assert '<span class="badge bad">worse</span> No 3.' in page
    made = DatasetVersion.objects.get()
    assert (made.rows_train, made.rows_held_out) == (8, 2)
    assert len(read_preferences(places.side(made, "train"))) == 8


@pytest.mark.parametrize(("row", "said"), [
    ({"prompt": "A?", "chosen": "B."}, "Row 31, rejected: the field is missing. Add it."),
    ({"prompt": "A?", "chosen": "B.", "rejected": "B."}, "Row 31, rejected: both answers are the same: “B.”."),
    ({"prompt": "A?", "chosen": [{"role": "user", "content": "A?"}], "rejected": "C."},
     "Row 31, chosen[1].role: the last message is of the role “user”; it must be"),
    ({"chosen": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}], "rejected": "C."},
     "Row 31, rejected: the two conversations differ before their last message."),
    ({"prompt": [{"role": "system", "content": "A?"}], "chosen": "B.", "rejected": "C."},
     "Row 31, prompt: the last message before the answers is of the role “system”."),
])
def test_a_row_that_cannot_be_used_is_named_with_its_field_and_mend(admin, row: dict[str, Any], said: str) -> None:
    version = datasets.create_with_file("Pairs", "preferences", admin, "p.jsonl", lines([*rows(30), row]))
    assert version.rows == 30 and not version.is_accepted
    [problem] = version.report["problems"]
    assert sentences.problem(problem).startswith(said) and sentences.heading(problem["code"])
    with translation.override("zh-hans"):
        assert sentences.problem(problem) != said and sentences.heading(problem["code"]) != problem["code"]


def test_the_form_offers_generators_only_and_a_job_says_what_to_train(pairs, admin, client, versions) -> None:
    settings = {setting.name: setting for setting in launch_form.settings_of("preferences", {})}
    assert settings["base"].choices == (f"{WRITER}@v1",)
    assert {"method", "beta", "label_smoothing", "sft_weight", "max_length"} <= settings.keys()
    client.force_login(admin)
    page = client.get("/dashboard/jobs/new/?task=preferences").content.decode()
    assert "How dear it is to move away from the base" in page and "a new model" not in page
    assert f"{WRITER}@v1" in client.get("/dashboard/evaluations/?task=preferences").content.decode()
    job = jobs.launch("preferences", pairs, {"beta": "0.2"}, admin)
    orders.prepare(job)
    spec = json.loads((places.job(job.pk) / "spec.json").read_text())
    assert spec["task"] == "preferences" and spec["register"]["name"] == WRITER
    assert spec["settings"]["beta"] == 0.2 and spec["settings"]["merge"] and spec["settings"]["evaluation"]


def test_programs_upload_pairs_and_start_a_training(admin, client, versions) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(admin)
    file = SimpleUploadedFile("pairs.jsonl", lines(rows(20))[0])
    made = client.post("/api/v1/datasets/", {"name": "Pairs", "task": "preferences", "file": file})
    assert made.status_code == 201
    [version] = made.json()["versions"]
    asked = {"task": "preferences", "data": version["id"], "settings": {"sft_weight": 1}}
    job = client.post("/api/v1/jobs/", asked, content_type="application/json")
    assert job.status_code == 202 and job.json()["options"] == {"sft_weight": 1.0, "base": f"{WRITER}@v1"}
    asked["settings"] = {"label_smoothing": 0.7}
    refused = client.post("/api/v1/jobs/", asked, content_type="application/json")
    assert refused.status_code == 400 and "label smoothing" in refused.content.decode()


@pytest.mark.parametrize("options", [{}, {"base": ""}])
def test_without_a_generator_it_is_said_that_one_is_needed(pairs, admin, client, options: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="register one first") as refused:
        jobs.launch("preferences", pairs, options, admin)
    assert refused.value.field == "base"
    client.force_login(admin)
    assert "a new model" not in client.get("/dashboard/jobs/new/?task=preferences").content.decode()


def done(job: Job) -> Job:
    running.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.DONE, (job.error, job.log_tail)
    return job


@pytest.mark.slow
def test_a_generator_is_timed_trained_measured_beside_what_is_served_and_judged_pair_by_pair(
    pairs, admin, client, versions, monkeypatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = {"epochs": 6, "learning_rate": 1e-2, **SMALL}
    measured = done(jobs.launch("preferences", pairs, options, admin, kind=JobKind.MEASURE)).result["measured"]
    assert measured["steps"] == 6 * 6 and measured["examples"] == 6 * 24
    assert measured["seconds"] > 0 and measured["memory_bytes"] > 0
    trained = done(jobs.launch("preferences", pairs, options, admin))
    assert trained.result == {"name": WRITER, "version": "v2"}
    assert trained.metrics["reward_accuracy"] > 0.8
    card = json.loads((versions.directory(WRITER, "v2") / "card.json").read_text())
    assert card["metrics"] == trained.metrics and card["data"]["name"] == "Pairs"
    assert card["metrics"].keys() >= {"reward_accuracy_low", "reward_accuracy_high", "reward_margin"}

    assert promoting.gate(WRITER, "v2").verdict == "unmeasured"
    done(jobs.evaluate("preferences", pairs, [f"{WRITER}@v1", f"{WRITER}@v2"], admin))
    before, after = (Evaluation.objects.get(version=version) for version in ("v1", "v2"))
    assert before.n == after.n == 6 and after.metrics["accuracy"] > before.metrics["accuracy"]
    gate = promoting.gate(WRITER, "v2")
    assert (gate.task, gate.main, gate.verdict) == ("preferences", "accuracy", "passes")
    assert gate.differences["margin"].difference > 0
    client.force_login(admin)
    page = client.get(f"/dashboard/evaluations/{after.pk}/?with={before.pk}").content.decode()
    assert "What of the" in page and "indeed." in page and '<th scope="row">accuracy</th>' in page
    assert "The rule allows it" in client.get(f"/dashboard/models/{WRITER}/v2/").content.decode()


def test_a_generator_is_judged_by_the_task_that_it_was_trained_by(versions, tiny_generator: Path, tmp_path) -> None:
    import shutil

    for recipe in ("causal", "preferences"):
        shutil.copytree(tiny_generator, tmp_path / recipe)
        (tmp_path / recipe / "card.json").write_text(json.dumps({"task": recipe}))
        versions.register(tmp_path / recipe, WRITER)
    assert [promoting.gate(WRITER, version).task for version in ("v1", "v2", "v3")] == ["chat", "chat", "preferences"]


@pytest.fixture
def judge(alice) -> Callable[..., Feedback]:
    """`judge(text, method)`: an answer by a generator or a reader that was judged bad."""
    conversation = Conversation.objects.create(owner=alice, title="Lamps")

    def judge(text: str, method: str, question: str = "When was it built?") -> Feedback:
        key = f"k{Message.objects.count()}"
        asked = Message.objects.create(conversation=conversation, role=MessageRole.QUESTION, key=key, text=question)
        answer = Message.objects.create(
            conversation=conversation, role=MessageRole.ANSWER, key=key, parent=asked, text=text,
            payload={"citations": [], "question": question, "verification": {"method": method}})
        return Feedback.objects.create(message=answer, user=alice, helpful=False)

    return judge


def correct(feedback: Feedback, passage: str, answer: str, admin: Any) -> None:
    corrections.correct(corrections.case(feedback, admin), passage, answer, admin)


def test_a_generators_corrected_answers_become_pairs(judge, admin, client) -> None:
    passage = "The lighthouse [1] was built in 1871."
    correct(judge("It was built in 1954 [2][1]. They say so [3].", "generator"), passage, "1871", admin)
    correct(judge("", "generator", "Who built it?"), passage, "1871", admin)
    correct(judge("Jo did [1].", "generator", "By whom?"), passage, "", admin)
    correct(judge("", "generator", "How tall is it?"), passage, "", admin)  # rightly found no answer
    correct(judge("in 1954", "reader"), passage, "1871", admin)
    client.force_login(admin)
    assert "Make preferences of them" in client.get("/dashboard/datasets/corrections/").content.decode()
    page = client.post("/dashboard/datasets/corrections/pairs/", follow=True).content.decode()
    assert preferred_answers.NAME in page
    version = DatasetVersion.objects.get(dataset__task="preferences")
    made = {row["messages"][-1]["content"].rpartition("Question: ")[2]: row for row in rows_file.rows(version)}
    assert version.rows == len(made) == 3 and version.is_accepted
    first = made["When was it built?"]
    assert (first["chosen"], first["rejected"]) == ("1871 [1]", "It was built in 1954 [1]. They say so [1].")
    assert first["messages"][0]["role"] == "system" and "was built in 1871" in first["messages"][1]["content"]
    assert (made["Who built it?"]["chosen"], made["Who built it?"]["rejected"]) == ("1871 [1]", NO_ANSWER)
    assert (made["By whom?"]["chosen"], made["By whom?"]["rejected"]) == (NO_ANSWER, "Jo did [1].")
    assert preferred_answers.make(admin) == (version, True)


def test_pairs_are_masked_and_only_administrators_make_them(judge, admin, alice, client, settings) -> None:
    settings.MASK_PERSONAL_DATA = True
    with pytest.raises(Conflict, match="No answer that a text generator wrote"):
        preferred_answers.make(admin)
    feedback = judge("Ask jo@example.org [1].", "generator", "Who knows, bo@example.org?")
    correct(feedback, "Write to al@example.org, who knows.", "al@example.org", admin)
    version, _known = preferred_answers.make(admin)
    assert "@example.org" not in json.dumps(list(rows_file.rows(version)))
    client.force_login(alice)
    assert client.post("/dashboard/datasets/corrections/pairs/").status_code == 403
