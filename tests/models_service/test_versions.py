"""Versions of models on disk: registering, promoting, rolling back, and what a kill at any moment leaves."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from models_service.model_files import ModelMissing, ModelUnusable, weight_bytes
from models_service.registry import ENCODER, READER, SUMMARIZER, TRANSLATOR, Registry, versions_in
from models_service.version_files import check_records
from models_service.versions import Versions

ROOT = Path(__file__).parents[2]


class Runs:
    """Notes that somebody has read its pickle."""

    has_run = False

    def __reduce__(self) -> tuple:
        return setattr, (Runs, "has_run", True)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return versions_in(tmp_path / "models")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Files as a finished run leaves them: small, and nothing that an engine could load."""
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["BertForQuestionAnswering"]}')
    (folder / "tokenizer.json").write_text("{}")
    save_file({"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16)}, folder / "model.safetensors")
    return folder


def test_a_registered_version_is_a_checked_copy_that_is_not_served_yet(versions: Versions, trained: Path) -> None:
    record = versions.register(trained, READER)
    folder = versions.directory(READER, "v1")
    assert (record.version, record.kind, versions.live(READER).current) == ("v1", "reader", "starter")
    assert set(record.files) == {"config.json", "tokenizer.json", "model.safetensors"}
    check_records(folder, record.files)
    shutil.rmtree(trained)
    assert Registry(folder=versions.folder).version(READER, "v1").directory() == folder


def test_pickles_code_and_hidden_files_stay_behind(versions: Versions, trained: Path) -> None:
    for name in ("optimizer.pt", "modeling_mine.py", "training_args.bin", ".secret.json"):
        (trained / name).write_text("x")
    (trained / "1_Pooling").mkdir()
    (trained / "1_Pooling" / "config.json").write_text("{}")
    files = set(versions.register(trained, READER).files)
    assert files == {"config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"}


def test_a_model_that_is_only_a_pickle_is_not_registered(versions: Versions, trained: Path) -> None:
    (trained / "model.safetensors").rename(trained / "pytorch_model.bin")
    with pytest.raises(ModelUnusable, match="a pickle"):
        versions.register(trained, READER)
    assert versions.versions(READER) == []


@pytest.mark.parametrize("content", [
    pickle.dumps(Runs()), b"", (2**63).to_bytes(8, "little"), (2).to_bytes(8, "little") + b"[]",
])
def test_what_only_its_name_makes_safetensors_is_not_registered_and_nothing_of_it_runs(versions, trained, content):
    (trained / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelUnusable, match="is not a safetensors file"):
        versions.register(trained, READER)
    assert versions.versions(READER) == [] and not Runs.has_run


def test_promote_and_rollback_change_current_and_previous_together(versions: Versions, trained: Path) -> None:
    for _ in range(2):
        versions.register(trained, READER)
    assert (versions.promote(READER, "v1").previous, versions.promote(READER, "v2").previous) == ("starter", "v1")
    back = versions.rollback(READER)
    assert (back.current, back.previous, back.changes) == ("v1", "v2", 3)
    assert versions.rollback(READER).current == "v2"
    assert versions.promote(READER, "starter").previous == "v2"
    assert versions.promote(READER, "starter").previous == "v2", "promoting what is served keeps the way back"


def test_what_cannot_be_promoted_is_refused_and_changes_nothing(versions: Versions, trained: Path) -> None:
    with pytest.raises(ModelMissing, match="no previous version"):
        versions.rollback(READER)
    versions.register(trained, READER)
    with pytest.raises(ModelMissing, match="there are: starter, v1"):
        versions.promote(READER, "v7")
    with (versions.directory(READER, "v1") / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, os.SEEK_END)
        weights.write(b"\x01")
    with pytest.raises(ModelUnusable, match="changed or damaged"):
        versions.promote(READER, "v1")
    assert versions.live(READER).changes == 0


def test_a_name_keeps_its_kind(versions: Versions, trained: Path) -> None:
    with pytest.raises(ModelUnusable, match="kind encoder"):
        versions.register(trained, ENCODER)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 65])
def test_a_name_that_is_no_folder_name_is_refused(versions: Versions, trained: Path, name: str) -> None:
    with pytest.raises(ModelMissing, match="cannot be a model's name"):
        versions.register(trained, name)


def test_a_new_name_is_served_once_it_is_promoted(versions: Versions, trained: Path) -> None:
    versions.register(trained, "mine")
    registry = Registry(folder=versions.folder)
    with pytest.raises(ModelMissing, match="models promote mine"):
        registry.find("mine")
    versions.promote("mine", "v1")
    assert (registry.find("mine").version, registry.find("mine@v1").kind) == ("v1", "reader")
    assert registry.names() == sorted([ENCODER, READER, "mine", SUMMARIZER, TRANSLATOR])


def test_what_may_serve_is_the_current_version_then_the_previous_then_the_starter(
    versions: Versions, trained: Path
) -> None:
    for version in ("v1", "v2"):
        versions.register(trained, READER)
        versions.promote(READER, version)
    registry = Registry(folder=versions.folder)
    assert [model.version for model in registry.candidates(READER)] == ["v2", "v1", "starter"]
    shutil.rmtree(versions.directory(READER, "v1"))
    assert [model.version for model in registry.candidates(READER)] == ["v2", "starter"]


def test_the_bytes_of_the_weights_are_known_without_loading_them(trained: Path) -> None:
    assert weight_bytes(trained) == 4 * 17
    (trained / "model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(ModelUnusable, match="not a safetensors file"):
        weight_bytes(trained)


def test_many_registrations_at_once_each_become_a_version(versions: Versions, trained: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: versions.register(trained, "mine").version, range(8)))
    assert sorted(made) == [f"v{number}" for number in range(1, 9)] == versions.versions("mine")


CHANGING = """
import sys
from pathlib import Path
from models_service.registry import versions_in
versions = versions_in(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    versions.register(Path(sys.argv[2]), "mine")
    versions.promote("mine", versions.versions("mine")[-1])
    versions.rollback("mine") if versions.live("mine").previous else None
"""


def test_a_kill_at_any_moment_leaves_whole_versions_and_a_readable_choice(
    versions: Versions, trained: Path
) -> None:
    for wait in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", CHANGING, str(versions.folder), str(trained)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        before = versions.live("mine").changes
        while versions.live("mine").changes < before + wait:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        live = versions.live("mine")
        for version in versions.versions("mine"):
            check_records(versions.directory("mine", version), versions.record("mine", version).files)
        assert {live.current, live.previous} - {None} <= set(versions.versions("mine"))
    versions.register(trained, "mine")
    assert not list((versions.folder / "mine").glob(".new-*")), "the next registration tidies up"
    assert json.loads((versions.folder / "mine" / "live.json").read_text())["changes"] >= 10
