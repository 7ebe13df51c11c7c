"""`manage.py models pull` from a hub over HTTP: safetensors only, checked, going on after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from safetensors.numpy import load_file, save_file

from models_service.registry import versions_in
from models_service.translation_pairs import pairs_of
from tests.local_hub import COMMIT, LocalHub, running_hub
from tests.models_service.tiny_reader import save_tiny_reader
from tests.models_service.tiny_translator import save_tiny_translator
from webapp.ops.preflight import free_port

ROOT = Path(__file__).parents[2]
TINY = "somebody/tiny-reader"
WEIGHTS = "model.safetensors"
PADDING_BYTES = 24_000_000
"""A download is written to the disk in pieces of 10 MB; half of the file has to be more."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch) -> Iterator[LocalHub]:
    """A tiny reader with a pickle and code beside it, and repositories that cannot be used."""
    good, pickle, code, other = (tmp_path / name for name in ("good", "pickle", "code", "other"))
    save_tiny_reader(good, seed=1)
    padded = load_file(good / WEIGHTS) | {"padding": np.zeros(PADDING_BYTES, np.uint8)}
    save_file(padded, good / WEIGHTS, metadata={"format": "pt"})
    (good / "pytorch_model.bin").write_bytes(b"a pickle")
    (good / "modeling_own.py").write_text("raise SystemExit")
    (good / "onnx").mkdir()
    (good / "onnx" / "model.onnx").write_bytes(b"another library's")
    for folder, settings, weights in (
        (pickle, "{}", "pytorch_model.bin"),
        (code, '{"auto_map": {"AutoModel": "own.Model"}, "architectures": ["OwnModel"]}', WEIGHTS),
        (other, '{"architectures": ["WhisperForConditionalGeneration"]}', WEIGHTS),
    ):
        folder.mkdir()
        (folder / "config.json").write_text(settings)
        (folder / weights).write_bytes(b"x" * 100)
    with running_hub({TINY: good, "a/pickle": pickle, "a/code": code, "a/other": other}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as manage.py sets it
        yield hub


def _pull(capsys, *words: str) -> dict:
    call_command("models", "pull", *words, "--json")
    return json.loads(capsys.readouterr().out)


def test_a_model_is_pulled_as_a_version_and_only_what_is_safe_is_asked_for(hub: LocalHub, capsys, settings) -> None:
    made = _pull(capsys, TINY)
    assert (made["name"], made["version"], made["kind"], made["revision"]) == ("tiny-reader", "v1", "reader", COMMIT)
    fetched = {path.rsplit("/", 1)[1] for method, path, _ in hub.asked if method == "GET" and "/resolve/" in path}
    assert WEIGHTS in fetched and not any(name.endswith((".bin", ".py", ".onnx")) for name in fetched)
    versions = versions_in(settings.DATA_DIR / "models")
    card = json.loads((versions.directory("tiny-reader", "v1") / "card.json").read_text())
    assert card == {"source": TINY, "revision": COMMIT}
    call_command("models", "promote", "tiny-reader", "--json")
    assert not (versions.folder / ".downloads" / "somebody--tiny-reader").exists()
    assert versions.names() == ["tiny-reader"]


def test_a_pull_that_was_killed_goes_on_where_it_was(hub: LocalHub, capsys, settings) -> None:
    hub.stop_in = WEIGHTS
    downloads = settings.DATA_DIR / "models" / ".downloads" / "somebody--tiny-reader"
    process = subprocess.Popen(
        [sys.executable, "-m", "models_service.hub", TINY, str(downloads)], cwd=ROOT, stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
    )
    assert hub.stopped.wait(60)
    part = downloads / COMMIT / f"{WEIGHTS}.part"
    end = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.wait()
    hub.stop_in = None
    hub.go_on.set()
    have = part.stat().st_size
    before = len(hub.asked)
    assert _pull(capsys, TINY)["version"] == "v1"
    again = [(path.rsplit("/", 1)[1], asked) for method, path, asked in hub.asked[before:]
             if method == "GET" and "/resolve/" in path]
    assert again == [(WEIGHTS, f"bytes={have}-")], "nothing else is fetched twice"


def test_a_file_that_comes_damaged_is_not_registered(hub: LocalHub, capsys, settings) -> None:
    hub.damage = WEIGHTS
    with pytest.raises(CommandError, match="model.safetensors came damaged"):
        _pull(capsys, TINY)
    assert versions_in(settings.DATA_DIR / "models").versions("tiny-reader") == []
    hub.damage = None
    assert _pull(capsys, TINY)["version"] == "v1"


@pytest.mark.parametrize(
    ("identifier", "complaint"),
    [
        ("a/pickle", "only pytorch_model.bin, a pickle"),
        ("a/code", "needs code of its own"),
        ("a/other", "a/other is a WhisperForConditionalGeneration"),
        ("a/nothing", "no model a/nothing"),
        ("not an id", "not a model's id|cannot be a model's name"),
    ],
)
def test_what_cannot_be_used_is_refused_before_its_weights_come(
    hub: LocalHub, capsys, identifier: str, complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        _pull(capsys, identifier)
    assert not any(path.endswith((WEIGHTS, ".bin")) for _, path, _ in hub.asked)


def test_without_a_connection_there_is_one_clear_line(capsys, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CommandError, match="cannot be reached .* pull again when there is a connection"):
        _pull(capsys, TINY)


def test_a_translator_is_pulled_with_its_vocabularies_and_its_name_says_the_languages(
    tmp_path: Path, capsys, monkeypatch, settings
) -> None:
    settings.DATA_DIR = tmp_path / "var"
    folder = save_tiny_translator(tmp_path / "opus", pairs=(), tags=False)
    with running_hub({"somebody/opus-mt-en-de": folder}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        pulled = _pull(capsys, "somebody/opus-mt-en-de")
        told = _pull(capsys, "somebody/opus-mt-en-de", "--name", "mine", "--pair", "de-en")
    assert (pulled["kind"], pulled["name"], told["kind"]) == ("translator", "opus-mt-en-de", "translator")
    there = versions_in(tmp_path / "var" / "models")
    for name, pair in (("opus-mt-en-de", ("en", "de")), ("mine", ("de", "en"))):
        version = there.directory(name, "v1")
        assert {"source.spm", "target.spm", "vocab.json", "samples.json"} <= {file.name for file in version.iterdir()}
        assert [(one.source, one.target, one.tag) for one in pairs_of(version)] == [(*pair, "")]


def test_a_text_generator_is_pulled_with_its_chat_template(hub: LocalHub, tiny_generator: Path, capsys, settings):
    hub.repositories["somebody/tiny-writer"] = tiny_generator
    made = _pull(capsys, "somebody/tiny-writer")
    assert (made["name"], made["kind"]) == ("tiny-writer", "generator")
    folder = versions_in(settings.DATA_DIR / "models").directory("tiny-writer", "v1")
    template = (tiny_generator / "chat_template.jinja").read_text()
    assert (folder / "chat_template.jinja").read_text() == template
