"""The curves beside a run, read back as TensorBoard's record format lays them down."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event, SessionLog

from models_service.training.run_folder import RunFolder


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events_in(file: Path) -> list[Event]:
    """Records of: length, its checksum, the event, its checksum (TensorFlow's TFRecord)."""
    data, found = file.read_bytes(), []
    while data:
        (length, check), body = struct.unpack("<QI", data[:12]), data[12:]
        assert check == masked(data[:8])
        assert struct.unpack("<I", body[length : length + 4])[0] == masked(body[:length])
        found.append(Event.FromString(body[:length]))
        data = body[length + 4 :]
    return found


def told(run: RunFolder) -> list[tuple]:
    files = sorted((run.path / "tensorboard").iterdir())
    shown: list[tuple] = []
    for file in files:
        first, *others = events_in(file)
        assert first.file_version == "brain.Event:2"
        for event in others:
            if event.HasField("session_log"):
                assert event.session_log.status == SessionLog.START
                shown.append(("from", event.step))
            shown += [(event.step, value.tag, pytest.approx(value.simple_value)) for value in event.summary.value]
    return shown


def test_what_a_run_tells_is_drawn_and_a_resumed_run_says_from_where(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.event(started=True, step=0, steps=40, device="cpu")
    run.say("a line of the log draws nothing")
    run.event(step=20, steps=40, loss=1.5, learning_rate=0.001)
    run.event(step=20, steps=40, metrics={"f1": 61.5})
    again = RunFolder(tmp_path)
    again.event(started=True, step=10, steps=40, device="cpu")
    again.event(step=20, steps=40, loss=1.25)
    assert told(run) == [
        ("from", 0), (20, "loss", 1.5), (20, "learning_rate", pytest.approx(0.001)), (20, "evaluation/f1", 61.5),
        ("from", 10), (20, "loss", 1.25)]


def test_a_run_that_draws_nothing_makes_no_file(tmp_path: Path) -> None:
    RunFolder(tmp_path).say("nothing")
    assert not (tmp_path / "tensorboard").exists()
