"""Compression from the dashboard and the command line: what is asked for, and one job done by its real child."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from models_service.compression.methods import METHODS
from models_service.model_files import told_form
from models_service.registry import READER, versions_in
from tests.models_service.tiny_reader import save_tiny_reader
from webapp.audit.models import Action, Entry
from webapp.errors import BadInput
from webapp.ops.management.commands.compress import Command
from webapp.training import compress_form, compress_jobs, datasets, orders, places, promoting, running
from webapp.training.models import DatasetVersion, Evaluation, Job, JobKind, JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def where(admin, squad_file: Path) -> DatasetVersion:
    return datasets.create_with_file("Where", "qa", admin, "where.json", [squad_file.read_bytes()])


@pytest.fixture
def tiny(settings, tmp_path: Path) -> str:
    """A version of the reader."""
    settings.MODELS_SERVICE_URLS = []
    save_tiny_reader(tmp_path / "tiny", seed=1)
    record = versions_in(settings.DATA_DIR / "models").register(tmp_path / "tiny", READER)
    return f"{READER}@{record.version}"


def test_a_reader_is_pruned_and_measured_beside_itself_and_not_served(
    admin, tiny, where, settings, client, monkeypatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    job = compress_jobs.compress(tiny, "prune", where, {"share": "0.5", "examples": "8"}, admin, limit=5)
    running.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.DONE, (job.error, job.log_tail)
    assert (job.result["name"], job.result["version"]) == (READER, "v2") and job.step == job.steps == 10
    told = job.result["compared"]
    assert told["costs"]["after"]["disk_bytes"] < told["costs"]["before"]["disk_bytes"]
    assert all(side[name] > 0 for side in told["costs"].values()
               for name in ("milliseconds_alone", "milliseconds_in_batch"))
    before, after = (Evaluation.objects.get(job=job, version=version) for version in ("v1", "v2"))
    assert before.n == after.n == told["rows"] == 5
    for name, one in promoting.compare(before, after).items():
        assert told["quality"][name]["paired"]["difference"] == pytest.approx(one.difference)
    versions = versions_in(settings.DATA_DIR / "models")
    card = json.loads((versions.directory(READER, "v2") / "card.json").read_text())
    assert card["base"] == tiny and card["data"]["name"] == "Where" and card["metrics"] == after.metrics
    assert card["compression"]["figures"]["parameters"] > 0 and versions.live(READER).current == "starter"
    client.force_login(admin)
    for address in (f"/dashboard/jobs/{job.pk}/", f"/dashboard/models/{READER}/v2/"):
        assert "Original and compressed" in client.get(address).content.decode()


def test_the_page_offers_what_can_be_done_with_the_version_and_queues_a_job(admin, tiny, where, client) -> None:
    client.force_login(admin)
    page = f"/dashboard/models/{READER}/v1/"
    assert f"{page}compress/" in client.get(page).content.decode()
    shown = client.get(f"{page}compress/?method=magnitude").content.decode()
    assert 'name="sparsity"' in shown and str(where.pk) in shown and 'name="share"' not in shown
    refused = client.post(f"{page}compress/?method=magnitude", {"sparsity": "1.5", "data": str(where.pk)})
    assert refused.status_code == 400 and "sparsity: " in refused.content.decode() and not Job.objects.exists()
    assert client.post(f"{page}compress/?method=magnitude", {"sparsity": "0.4"}).status_code == 302
    job = Job.objects.get()
    assert (job.kind, job.task, job.data) == (JobKind.COMPRESS, "qa", None)
    assert job.options == {"method": "magnitude", "model": tiny, "sparsity": 0.4}
    assert client.get(f"/dashboard/jobs/{job.pk}/").status_code == 200
    assert client.get(f"/dashboard/models/{READER}/v9/compress/").status_code == 404
    assert client.get("/dashboard/models/wenda-translator/starter/compress/").status_code == 404


def test_a_job_says_what_its_child_is_to_do(admin, tiny, where) -> None:
    learning = compress_jobs.compress(tiny, "distil", where, {"layers": "1"}, admin)
    orders.prepare(learning)
    spec = json.loads((places.job(learning.pk) / "spec.json").read_text())
    assert spec["data"] == [str(places.side(where, "train"))] and spec["settings"]["layers"] == 1
    assert spec["evaluation"] == {"task": "qa", "data": str(places.side(where, "held-out")), "options": {},
                                  "rows": where.rows_held_out}
    assert spec["card"]["data"]["id"] == str(where.pk) and spec["register"]["name"] == READER
    looking = compress_jobs.compress(tiny, "quantize", where, {}, admin, limit=2)
    orders.prepare(looking)
    spec = json.loads((places.job(looking.pk) / "spec.json").read_text())
    assert spec["data"] == [] and spec["evaluation"]["rows"] == 2 and "data" not in spec["card"]


@pytest.mark.parametrize(("method", "options", "field"), [
    ("prune", {"share": "2"}, "share"), ("prune", {"share": "some"}, "share"), ("quantize", {"form": "int4"}, "form"),
    ("magnitude", {"speed": 1}, "speed"), ("magic", {}, "method"),
])
def test_a_setting_that_cannot_be_used_is_named(admin, tiny, where, method: str, options: dict, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        compress_jobs.compress(tiny, method, where, options, admin)
    assert refused.value.field == field and not Job.objects.exists()


def test_what_learns_needs_data_and_a_model_of_its_kind(admin, tiny, where) -> None:
    with pytest.raises(BadInput, match="training rows"):
        compress_jobs.compress(tiny, "prune", None, {}, admin)
    with pytest.raises(BadInput, match="training rows"):
        compress_jobs.compress(tiny, "magnitude", None, {"recovery_epochs": 1}, admin)
    with pytest.raises(BadInput, match="Only a reader can be trained"):
        compress_jobs.compress("all-MiniLM-L6-v2@starter", "magnitude", where, {"recovery_epochs": 1}, admin)
    with pytest.raises(BadInput, match="kind translator"):
        compress_jobs.compress("wenda-translator@starter", "prune", where, {}, admin)


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_and_setting_is_explained_in_both_languages(method: str) -> None:
    with translation.override("zh-hans"):
        told = [str(compress_form.NAMES[method]), str(compress_form.TOLD[method])]
        settings = compress_form.settings_of(method, {})
    assert {one.name for one in settings} == set(METHODS[method].settings.model_fields)
    told += [text for one in settings for text in (one.label, one.help)]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in told)


def test_the_command_says_what_it_cannot_do(tiny, squad_file: Path) -> None:
    for given, said in [
        (("prune", tiny), "prune needs --data"), (("prune", tiny, "--share", "3"), "--share"),
        (("distil", "wenda-translator"), "kind translator; distil is for reader"),
        (("quantize", tiny, "--evaluation", "nowhere.json"), "no file nowhere.json"),
        (("quantize", tiny, "--limit", "0"), "at least 1"), (("quantize", "nobody"), "no model named"),
    ]:
        with pytest.raises(CommandError, match=said):
            call_command("compress", *given)


def test_the_command_prints_one_table_with_paired_differences() -> None:
    cost = {"form": "float32", "disk_bytes": 90e6, "memory_bytes": 80e6, "milliseconds_alone": 12.5,
            "milliseconds_in_batch": 4.25}
    lines = Command().lines({
        "method": "quantize", "label": "wenda-reader@starter", "figures": {"form": "int8"}, "rows": 9,
        "data": "d.json",
        "costs": {"before": cost, "after": {**cost, "form": "int8", "memory_bytes": 20e6}}, "name": "wenda-reader",
        "version": "v3", "seconds": 7.0,
        "quality": {"f1": {"before": 75.5, "after": 75.0, "before_interval": [70, 80], "after_interval": [69, 79],
                           "paired": {"before": 75.5, "after": 75.0, "difference": -0.5, "low": -1.5, "high": 0.25}}},
    })
    rows = [line.split("  ") for line in lines]
    assert any("in memory, MB" in row[0] and "80.0" in "".join(row) and "20.0" in "".join(row) for row in rows)
    assert any("-0.5 (-1.5 to +0.25)" in line and "75.5 (70 to 80)" in line for line in lines)
    assert lines[-1].endswith("manage.py models promote wenda-reader v3")


def test_a_version_that_was_made_for_a_form_is_computed_in_it(settings, tiny, tmp_path: Path) -> None:
    from models_service.registry import Registry

    folder = tmp_path / "quantized"
    save_tiny_reader(folder, seed=1)
    (folder / "form.json").write_text('{"form": "int8"}')
    record = versions_in(settings.DATA_DIR / "models").register(folder, READER)
    registry = Registry(folder=settings.DATA_DIR / "models")
    assert registry.find(f"{READER}@{record.version}").form == "int8" and registry.find(tiny).form is None
    set_otherwise = Registry(folder=settings.DATA_DIR / "models", forms={READER: "float32"})
    assert set_otherwise.find(f"{READER}@{record.version}").form == "float32"
    assert told_form(tmp_path / "tiny") is None


def test_a_version_is_exported_by_a_job_and_downloaded_by_administrators_alone(
    admin, alice, tiny, client, monkeypatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    client.force_login(admin)
    page = f"/dashboard/models/{READER}/v1/"
    assert 'value="onnx"' in client.get(page).content.decode()
    assert client.post(f"{page}export/", {"format": "ctranslate2"})["Location"] == "/dashboard/models/"
    assert client.post(f"{page}export/", {"format": "safetensors"}).status_code == 302
    job = Job.objects.get()
    assert client.get(f"/dashboard/jobs/{job.pk}/archive/").status_code == 404
    running.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.DONE, (job.error, job.log_tail)
    assert f"/dashboard/jobs/{job.pk}/archive/" in client.get(f"/dashboard/jobs/{job.pk}/").content.decode()
    got = client.get(f"/dashboard/jobs/{job.pk}/archive/")
    with zipfile.ZipFile(io.BytesIO(b"".join(got.streaming_content))) as archive:
        assert f"{READER}-v1-safetensors/model.safetensors" in archive.namelist() and archive.testzip() is None
    assert Entry.objects.filter(action=Action.MODEL_DOWNLOADED, subject=tiny).exists()
    client.force_login(alice)
    assert client.get(f"/dashboard/jobs/{job.pk}/archive/").status_code == 403
