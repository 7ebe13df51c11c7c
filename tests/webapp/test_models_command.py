"""`manage.py models`: from a run's folder to a served version and back, with and without a running model service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from models_service.registry import READER, versions_in
from tests.models_service.conftest import ServiceProcess
from tests.models_service.tiny_reader import save_tiny_reader


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    """The registry's, empty."""
    settings.DATA_DIR = tmp_path
    settings.MODELS_SERVICE_URLS = []
    return tmp_path / "models"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """As `finetune` leaves it."""
    save_tiny_reader(tmp_path / "run" / "model", seed=1)
    (tmp_path / "run" / "spec.json").write_text('{"task": "qa", "settings": {"epochs": 1}}')
    (tmp_path / "run" / "events.jsonl").write_text('{"metrics": {"em": 61.5, "f1": 73.25}}\n')
    return tmp_path / "run"


@pytest.fixture
def models(capsys, folder: Path):
    """`models(*words)`: the JSON that the command printed."""

    def models(*words: object) -> dict[str, Any]:
        call_command("models", *map(str, words), "--json")
        return json.loads(capsys.readouterr().out)

    return models


def _served(models, name: str = READER) -> dict[str, str]:
    return {row["live"]: row["version"] for row in models("list")["models"] if row["name"] == name and row["live"]}


def test_a_run_is_registered_promoted_and_rolled_back_where_nothing_runs(models, run: Path) -> None:
    made = models("register", run)
    assert (made["name"], made["version"], made["kind"]) == (READER, "v1", "reader")
    assert _served(models) == {"current": "starter"}
    done = models("promote", READER)
    assert (done["current"], done["previous"], done["running"]) == ("v1", "starter", False)
    (row,) = [row for row in models("list")["models"] if row["version"] == "v1"]
    assert row["metrics"] == {"em": 61.5, "f1": 73.25} and row["bytes"] > 1_000_000
    models("register", run)
    models("promote", READER, "v2")
    assert models("rollback", READER)["current"] == "v1"
    assert _served(models) == {"current": "v1", "previous": "v2"}


def test_the_readable_list_names_versions_and_figures(models, run: Path, capsys) -> None:
    models("register", run, "--name", "mine")
    call_command("models", "list")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:3] == ["mine", "reader", "v1"] and "em 61.5" in line for line in lines)
    assert any(line.split()[:4] == ["all-MiniLM-L6-v2", "encoder", "starter", "current"] for line in lines)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("register", "nowhere"), "no folder nowhere"),
        (("promote", READER, "v9"), "there are: starter"),
        (("rollback", READER), "no previous version"),
        (("promote", "../up"), "cannot be a model's name"),
        (("export", "gpt", "out"), "no model named 'gpt'"),
    ],
)
def test_what_is_not_there_gets_one_clear_line(models, words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        models(*words)


def test_a_model_of_a_kind_without_a_starter_needs_a_name(models, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}}'
    )
    (tmp_path / "model.safetensors").write_bytes(b"never read")
    with pytest.raises(CommandError, match="name this reranker"):
        models("register", tmp_path)


def test_an_export_does_not_touch_what_is_there(models, run: Path, tmp_path: Path) -> None:
    models("register", run)
    with pytest.raises(CommandError, match="is there already"):
        models("export", READER, tmp_path, "--version", "v1")
    done = models("export", READER, tmp_path / "out", "--version", "v1")
    assert done["version"] == "v1" and (tmp_path / "out" / "model.safetensors").is_file()


@pytest.fixture
def running(settings, folder: Path) -> Iterator[ServiceProcess]:
    service = ServiceProcess(None, models=folder, OMP_NUM_THREADS="1")
    service.start()
    try:
        service.wait_until_ready()
        settings.MODELS_SERVICE_URLS = [service.url]
        yield service
    finally:
        service.stop()


def test_a_running_service_has_the_version_when_promote_returns_and_a_broken_one_is_taken_back(
    models, run: Path, folder: Path, running: ServiceProcess
) -> None:
    def serving() -> str:
        return json.loads(running.get("/readyz")[1])["versions"][READER]

    models("register", run)
    if READER not in json.loads(running.get("/readyz")[1])["versions"]:
        pytest.skip("no starter reader is installed, so none was loaded at the start")
    assert models("promote", READER)["running"] and serving() == "v1"
    models("register", run)
    versions = versions_in(folder)
    record = versions.record(READER, "v2")
    (versions.directory(READER, "v2") / "samples.json").unlink()
    del record.files["samples.json"]
    (versions.directory(READER, "v2") / "version.json").write_text(record.model_dump_json())
    with pytest.raises(CommandError, match="stays at version v1"):
        models("promote", READER, "v2")
    assert _served(models) == {"current": "v1", "previous": "starter"} and serving() == "v1"
    assert models("rollback", READER)["current"] == "starter" and serving() == "starter"
