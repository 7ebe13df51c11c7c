"""Data sets, jobs and promotions as the dashboard's services keep them; what the worker does is tested elsewhere."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from webapp.errors import BadInput, Conflict
from webapp.training import (
    comparing,
    corrections,
    datasets,
    jobs,
    launch_form,
    orders,
    overlaps,
    places,
    promoting,
    rows_file,
    stream,
)
from webapp.training.claims import Claim
from webapp.training.models import Dataset, DatasetVersion, Evaluation, Job, JobStatus
from webapp.training.running import Attempt
from webapp.training.subjects import SUBJECTS, recipe

pytestmark = pytest.mark.django_db


def squad(count: int = 10, **more: Any) -> bytes:
    paragraphs = [{"context": f"Keeper {i} lives in Oslo.",
                   "qas": [{"id": str(i), "question": f"Where does keeper {i} live?",
                            "answers": [{"text": "Oslo", "answer_start": 18 + len(str(i)) - 1}], **more}]}
                  for i in range(count)]
    return json.dumps({"data": [{"title": "keepers", "paragraphs": paragraphs}]}).encode()


@pytest.fixture
def keepers(admin) -> DatasetVersion:
    return datasets.create_with_file("Keepers", "qa", admin, "keepers.json", [squad()])


def test_a_file_becomes_a_version_with_both_sides_written(keepers) -> None:
    assert (keepers.rows_train, keepers.rows_held_out, keepers.is_accepted) == (8, 2, True)
    for side, count in (("train", 8), ("held-out", 2)):
        written = json.loads(places.side(keepers, side).read_text())
        assert sum(len(text["qas"]) for article in written["data"] for text in article["paragraphs"]) == count


def test_the_same_content_is_one_version_and_other_content_the_next(keepers, admin) -> None:
    again, known = datasets.add_version(keepers.dataset, admin, "again.json", [squad()])
    assert known and again == keepers
    other, known = datasets.add_version(keepers.dataset, admin, "more.json", [squad(12)])
    assert not known and other.number == 2 and keepers.dataset.newest == other
    assert len(list(places.dataset(keepers.pk).parent.iterdir())) == 2


def test_documents_stay_on_their_side_in_later_versions_unless_another_share_is_wanted(keepers, admin) -> None:
    def held(version: DatasetVersion) -> set[str]:
        return {row["context"] for row in rows_file.rows(version, side="held-out")}

    more, _known = datasets.add_version(keepers.dataset, admin, "more.json", [squad(20)])
    first = {row["context"] for row in rows_file.rows(keepers)}
    assert held(more) & first == held(keepers) and len(held(more)) == 4
    assert datasets.add_version(keepers.dataset, admin, "again.json", [squad()]) == (keepers, True)
    half, _known = datasets.add_version(keepers.dataset, admin, "half.json", [squad(20)], share=0.5)
    assert len(held(half)) == 10
    untouched = datasets.create_with_file("All to train on", "qa", admin, "all.json", [squad()], share=0)
    assert not held(datasets.add_version(untouched.dataset, admin, "more.json", [squad(20)])[0])


@pytest.mark.parametrize(("content", "said"), [
    (b"", "empty"), (b"\x00\xff\xfe\x81binary\x00", "encoding"), (b'{"data": []}', "no row"),
    (b"[1, 2]", "Row 1: not an object"), (b'[{"question": "a"}]', "Row 1, context: the field is missing"),
])
def test_a_file_of_no_use_is_refused_in_a_sentence_and_leaves_nothing(admin, content: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        datasets.create_with_file("Bad", "qa", admin, "bad.json", [content])
    assert not Dataset.objects.exists()
    folder = places.root() / "datasets"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_data_set_with_rows_left_out_is_used_only_once_that_is_agreed_to(admin) -> None:
    rows = json.loads(squad())
    rows["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["text"] = "Lima"
    version = datasets.create_with_file("Keepers", "qa", admin, "k.json", [json.dumps(rows).encode()])
    assert not version.is_accepted and version.rows == 9
    with pytest.raises(BadInput, match="agree"):
        jobs.launch("qa", version, {}, admin)
    datasets.accept(version)
    version.refresh_from_db()
    assert jobs.launch("qa", version, {}, admin).status == JobStatus.QUEUED


def test_rows_are_searched_in_all_their_texts_and_by_side(keepers) -> None:
    assert len(list(rows_file.rows(keepers))) == 10
    assert [row["id"] for row in rows_file.rows(keepers, "KEEPER 7")] == ["7"]
    assert not list(rows_file.rows(keepers, "answer_start"))  # a field's name is no text of it
    assert len(list(rows_file.rows(keepers, side="held-out"))) == 2


def test_held_out_rows_that_stand_in_training_rows_are_told_where_either_is_chosen(keepers, admin, client) -> None:
    passage = "Keeper {} lives in Oslo, in the old house behind the harbour, and lights the lamp at dusk."
    rows = [{"context": passage.format(n), "question": "Where?", "answer": "Oslo"} for n in range(10)]
    near = datasets.create_with_file("Near", "qa", admin, "near.json", [json.dumps(rows).encode()])
    own = overlaps.notes([near])[near.pk]
    assert len(own) == 1 and "Of the 2 held-out rows of “Near v1”, 0 have" in own[0] and "and 2 more" in own[0]
    same = datasets.create_with_file("Same", "qa", admin, "same.json", [squad(10)], share=0.5)
    trained = {row["context"] for row in rows_file.rows(keepers, side="train")}
    twice = sum(row["context"] in trained for row in rows_file.rows(same, side="held-out"))
    told = overlaps.notes([keepers])[keepers.pk]
    assert any(f"Of the 5 held-out rows of “Same v1”, {twice} have" in note and "“Keepers v1”" in note
               for note in told)
    client.force_login(admin)
    for address in (f"/dashboard/datasets/{keepers.dataset_id}/", "/dashboard/jobs/new/?task=qa"):
        assert "held-out rows of “Same v1”" in client.get(address).content.decode()
    job = jobs.launch("qa", keepers, {}, admin)
    assert "held-out rows of “Same v1”" in (places.job(job.pk) / "log.txt").read_text()
    datasets.delete(same.dataset)
    assert keepers.pk not in overlaps.notes([keepers])


def test_curves_are_saved_as_a_table_without_what_was_done_twice(keepers, admin, client) -> None:
    job = jobs.launch("qa", keepers, {}, admin)
    for event in ({"started": True, "step": 0, "steps": 4}, {"step": 1, "steps": 4, "loss": 3.0},
                  {"step": 2, "steps": 4, "loss": 2.5}, {"started": True, "step": 1, "steps": 4},
                  {"step": 2, "steps": 4, "loss": 2.0}, {"step": 2, "steps": 4, "metrics": {"f1": 40.5}}):
        stream.add(job.pk, **event)
    client.force_login(admin)
    shown = client.get(f"/dashboard/jobs/{job.pk}/curves.csv")
    assert shown["Content-Type"].startswith("text/csv") and "attachment" in shown["Content-Disposition"]
    rows = list(csv.DictReader(shown.content.decode().splitlines()))
    assert [(row["step"], row["loss"], row["f1"]) for row in rows] == [("1", "3.0", ""), ("2", "2.0", "40.5")]


def test_a_data_set_is_not_deleted_under_a_job_that_needs_it(keepers, admin) -> None:
    job = jobs.launch("qa", keepers, {}, admin)
    with pytest.raises(Conflict, match="uses this data set"):
        datasets.delete(keepers.dataset)
    jobs.cancel(job)
    datasets.delete(keepers.dataset)
    job.refresh_from_db()
    assert job.data is None and job.data_label == "Keepers v1" and not places.dataset(keepers.pk).exists()


@pytest.mark.parametrize(("options", "field"), [
    ({"epochs": "many"}, "epochs"), ({"epochs": 0}, "epochs"), ({"method": "magic"}, "method"),
    ({"speed": 1}, "speed"), ({"base": "nobody"}, "base"),
    ({"base": "wenda-reader@v9"}, "base"), ({"base": "wenda-translator@starter"}, "base"),
    ({"data": ["/etc/passwd"]}, "data"), ({"folds": 1}, "folds"), ({"trials": "3"}, "search"),
    ({"folds": 2, "trials": 2, "search": "epochs=1:2"}, "search"), ({"trials": 3, "search": "speed=1:2"}, "search"),
])
def test_a_setting_that_cannot_be_used_is_named(keepers, admin, options: dict, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        jobs.launch("qa", keepers, options, admin)
    assert refused.value.field == field and not Job.objects.exists()


def test_given_settings_are_kept_as_their_types_and_the_rest_are_the_recipe_s(keepers, admin) -> None:
    job = jobs.launch("qa", keepers, {"epochs": "3", "learning_rate": "0.01", "rank": ""}, admin)
    assert job.options == {"epochs": 3, "learning_rate": 0.01, "base": "wenda-reader@starter"}
    assert jobs.all_options(job)["rank"] == 64 and "data" not in jobs.all_options(job)


@pytest.mark.parametrize(("given", "kind", "plan"), [
    ({"folds": "3", "trials": "", "search": ""}, "folds", {"folds": 3}),
    ({"folds": "", "trials": "4", "search": "epochs=1:3\r\n\r\n rank=4,8 "}, "search",
     {"trials": 4, "search": ["epochs=1:3", "rank=4,8"]}),
])
def test_folds_and_trials_leave_the_held_out_rows_unseen(keepers, admin, given: dict, kind: str, plan: dict) -> None:
    job = jobs.launch("qa", keepers, {"epochs": 2, **given}, admin)
    assert (job.kind, job.options) == (kind, {"epochs": 2, "base": "wenda-reader@starter", **plan})
    orders.prepare(job)
    spec = json.loads((places.job(job.pk) / "spec.json").read_text())
    assert spec["plan"] == plan and spec["settings"].keys().isdisjoint({"evaluation", *plan})
    assert spec["settings"]["data"] == [str(places.side(keepers, "train"))]
    assert jobs.all_options(job).items() >= plan.items()


@pytest.mark.parametrize("task", list(SUBJECTS))
def test_every_setting_of_a_fine_tune_has_a_label_and_an_explanation_in_both_languages(task: str) -> None:
    with translation.override("zh-hans"):
        settings = launch_form.settings_of(task, {})
    assert {setting.name for setting in settings} == set(recipe(task).settings.model_fields) - set(jobs.OF_THE_SITE)
    for setting in settings:
        for told in (setting.label, setting.help):
            assert re.search("[\u4e00-\u9fff]", told), (setting.name, told)


def test_a_waiting_job_is_paused_cancelled_and_resumed_without_a_worker(keepers, admin) -> None:
    job = jobs.launch("qa", keepers, {}, admin)
    assert jobs.pause(job).status == JobStatus.PAUSED
    assert jobs.resume(job).status == JobStatus.QUEUED
    assert jobs.cancel(job).status == JobStatus.CANCELLED
    with pytest.raises(Conflict):
        jobs.cancel(job)
    assert jobs.start_over(job).status == JobStatus.QUEUED
    with pytest.raises(Conflict, match="Cancel the job first"):
        jobs.delete(job)


def test_a_job_at_work_is_asked_to_stop_and_asking_twice_is_fine(keepers, admin) -> None:
    job = jobs.launch("qa", keepers, {}, admin)
    Job.objects.update(status=JobStatus.RUNNING, lease="someone")
    assert jobs.pause(job).status == JobStatus.PAUSING
    assert jobs.cancel(job).status == JobStatus.CANCELLING
    assert jobs.cancel(job).status == JobStatus.CANCELLING


def test_a_cancel_that_comes_while_a_job_is_given_back_is_not_lost(keepers, admin) -> None:
    job = jobs.launch("qa", keepers, {}, admin)
    claim = Claim.take(job.pk)
    Job.objects.update(status=JobStatus.CANCELLING)
    attempt = Attempt(job, claim)
    attempt._wait_again(JobStatus.LOST)  # it had looked at the status before
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED and not job.lease and job.seconds > 0


def _measured(version: DatasetVersion, name: str, values: list[float], condition: str = "") -> Evaluation:
    mean = 100 * sum(values) / len(values)
    one = Evaluation.objects.create(
        task="qa", model="wenda-reader", version=name, data=version, data_label=str(version), condition=condition,
        n=len(values),
        metrics={"em": mean, "f1": mean}, intervals={}, seconds=1)
    places.evaluation(one.pk).mkdir(parents=True)
    places.examples(one.pk).write_text("".join(
        json.dumps({"id": str(i), "em": value, "f1": value}) + "\n" for i, value in enumerate(values)))
    return one


@pytest.fixture
def candidate(settings, tmp_path: Path) -> Callable[[], str]:
    """A version of the reader that is registered and not served; no model service runs."""
    from models_service.registry import READER, versions_in
    from tests.models_service.tiny_reader import save_tiny_reader

    settings.MODELS_SERVICE_URLS = []
    save_tiny_reader(tmp_path / "tiny", seed=1)
    return versions_in(settings.DATA_DIR / "models").register(tmp_path / "tiny", READER).version


@pytest.mark.parametrize(("before", "after", "verdict"), [
    ([0, 1] * 20, [1, 1] * 20, "passes"), ([1, 1] * 20, [0, 1] * 20, "fails"), ([1, 0] * 20, [1, 0] * 20, "passes"),
    ([1, 0] * 20, [0, 1] * 20, "fails"),
])
def test_the_gate_goes_by_the_lower_end_of_the_paired_interval(
    keepers, candidate, before: list, after: list, verdict: str
) -> None:
    assert promoting.gate("wenda-reader", candidate).verdict == "unmeasured"
    _measured(keepers, "starter", before)
    _measured(keepers, candidate, after)
    gate = promoting.gate("wenda-reader", candidate)
    assert gate.verdict == verdict
    main = gate.differences["f1"]
    assert main.low <= main.difference <= main.high
    assert main.difference == pytest.approx(100 * (sum(after) - sum(before)) / 40)


def test_figures_of_other_rows_are_never_compared(keepers, candidate, admin) -> None:
    other, _known = datasets.add_version(keepers.dataset, admin, "more.json", [squad(12)])
    before = _measured(keepers, "starter", [0] * 10)
    after = _measured(other, candidate, [1] * 10)
    assert promoting.gate("wenda-reader", candidate).verdict == "unmeasured" and not promoting.compare(before, after)


def test_figures_of_another_direction_or_length_are_never_compared(keepers, candidate) -> None:
    before = _measured(keepers, "starter", [0] * 10, condition="en → de")
    after = _measured(keepers, candidate, [1] * 10, condition="de → en")
    assert promoting.gate("wenda-reader", candidate).verdict == "unmeasured" and not promoting.compare(before, after)
    boards = comparing.leaderboards(Evaluation.objects.all(), "qa")
    assert sorted(board.condition for board in boards) == ["de → en", "en → de"]


@pytest.mark.parametrize(("options", "field"), [
    ({"source": "en"}, "target"), ({"source": "en", "target": "de", "length": "short"}, "length"),
])
def test_an_evaluation_takes_the_options_of_its_task_and_no_others(admin, options: dict, field: str) -> None:
    data = datasets.create_with_file("Pairs", "translate", admin, "pairs.jsonl", [
        b"".join(json.dumps({"en": f"Go {i}.", "de": f"Geh {i}."}).encode() + b"\n" for i in range(10))])
    with pytest.raises(BadInput) as refused:
        jobs.evaluate("translate", data, ["wenda-translator@starter"], admin, options=options)
    assert refused.value.field == field


def test_the_length_of_measured_summaries_is_a_name_or_a_number_of_words(admin) -> None:
    data = datasets.create_with_file("Sums", "summarize", admin, "sums.jsonl", [
        b"".join(json.dumps({"text": f"It is {i}. It was.", "summary": "Is."}).encode() + b"\n" for i in range(10))])
    job = jobs.evaluate("summarize", data, ["wenda-summarizer@starter"], admin, options={"length": "80"})
    assert job.options["length"] == 80
    with pytest.raises(BadInput, match="reference, short, medium, long"):
        jobs.evaluate("summarize", data, ["wenda-summarizer@starter"], admin, options={"length": "banana"})


def test_rows_whose_text_was_trained_on_are_told_at_the_gate(keepers, candidate, admin, settings) -> None:
    from models_service.registry import versions_in

    other = datasets.create_with_file("Same texts", "qa", admin, "same.json", [squad(10)], share=0.5)
    folder = versions_in(settings.DATA_DIR / "models").directory("wenda-reader", candidate)
    (folder / "card.json").write_text(json.dumps({"data": {"id": str(keepers.pk)}}))
    _measured(other, "starter", [0] * 5)
    _measured(other, candidate, [1] * 5)
    trained = {row["context"] for row in rows_file.rows(keepers, side="train")}
    expected = sum(row["context"] in trained for row in rows_file.rows(other, side="held-out"))
    assert promoting.gate("wenda-reader", candidate).seen_in_training == expected > 0


def test_a_card_from_elsewhere_says_nothing_of_this_site_s_data(candidate, settings, admin, client) -> None:
    from models_service.registry import versions_in

    card = versions_in(settings.DATA_DIR / "models").directory("wenda-reader", candidate) / "card.json"
    client.force_login(admin)
    for data in ("squad", ["squad"], {"id": "squad"}, {"name": "squad"}):
        card.write_text(json.dumps({"data": data}))
        assert client.get(f"/dashboard/models/wenda-reader/{candidate}/").status_code == 200


def test_against_the_rule_a_version_is_served_only_with_a_reason(keepers, candidate, admin) -> None:
    _measured(keepers, "starter", [1] * 10)
    _measured(keepers, candidate, [0] * 10)
    with pytest.raises(BadInput, match="rule does not allow"):
        promoting.promote("wenda-reader", candidate, admin)
    with pytest.raises(BadInput, match="Say why"):
        promoting.promote("wenda-reader", candidate, admin, against_rule=True)


def test_an_answer_judged_bad_becomes_an_example_once_it_is_corrected(admin, alice) -> None:
    from webapp.chat.models import Conversation, Feedback, Message, MessageRole

    conversation = Conversation.objects.create(owner=alice, title="Lamps")
    for number, note in enumerate(("in 1871", "no idea")):
        asked = Message.objects.create(conversation=conversation, role=MessageRole.QUESTION, key=f"k{number}",
                                       text="When was the lighthouse built?")
        quote = f"Lighthouse {number} was built in 1871."
        cited = [{"document": "00000000-0000-0000-0000-000000000000", "quote": quote, "start": 0, "end": len(quote)}]
        answer = Message.objects.create(conversation=conversation, role=MessageRole.ANSWER, key=f"k{number}",
                                        parent=asked, text="In 1954.", payload={"citations": cited, "question": ""})
        Feedback.objects.create(message=answer, user=alice, helpful=False, note=note)
    version, known = corrections.make(admin)  # the note that stands in the passage is the answer
    assert (version.rows, known, version.dataset.name) == (1, False, "Corrections")
    left = next(case for case in corrections.cases(admin) if case.correction is None)
    with pytest.raises(BadInput, match="letter by letter"):
        corrections.correct(left, left.passages[0], "in 1872", admin)
    corrections.correct(left, left.passages[0], "1871", admin)
    newer, _known = corrections.make(admin)
    assert newer.number == 2 and newer.rows == 2
