"""The curves of a run as TensorBoard reads them: `tensorboard --logdir` on a folder of runs shows them together."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

FILE_VERSION = "brain.Event:2"


class TensorBoardFile:
    """One process's event file, made when there is something to write; each event is on disk when the call ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: RecordWriter | None = None

    def begin(self, step: int) -> None:
        """This process goes on from `step`: what an interrupted one drew beyond it is not shown."""
        self._write(Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START)))

    def draw(self, step: int, values: Mapping[str, Any]) -> None:
        """A point of each curve whose value is a number."""
        points = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()
                  if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if points:
            self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=points)))

    def _write(self, event: Event) -> None:
        if self._writer is None:
            self._folder.mkdir(exist_ok=True)
            name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
            self._writer = RecordWriter(str(self._folder / name))
            self._writer.write(Event(wall_time=time.time(), file_version=FILE_VERSION).SerializeToString())
        self._writer.write(event.SerializeToString())
        self._writer.flush()
