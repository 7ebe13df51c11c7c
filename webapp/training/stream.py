"""A job's events, as its folder keeps them: events.jsonl, one a line, the line's number is the event's number.

The file is the truth and outlives every process; whoever follows a job reads it from any point and then waits for
more. Trainer and child write one line at a time, so what a kill leaves half written is passed over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from webapp.training import places

FILE = "events.jsonl"


@dataclass
class Reader:
    """Reads what has been added since the last look. `number` is that of the last event read."""

    path: Path
    number: int = 0
    _offset: int = 0

    def skip_to(self, number: int) -> None:
        """Pass over the first `number` events."""
        for _line in islice(self._lines(), max(0, number - self.number)):
            pass

    def skip_all(self) -> None:
        for _line in self._lines():
            pass

    def read(self, most: int = 5000) -> list[tuple[int, dict[str, Any]]]:
        found = []
        for line in islice(self._lines(), most):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append((self.number, event))
        return found

    def _lines(self) -> Iterator[bytes]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            while (line := file.readline()).endswith(b"\n"):
                self._offset += len(line)
                self.number += 1
                yield line


def reader(job_id: UUID | str) -> Reader:
    return Reader(places.job(job_id) / FILE)


def add(job_id: UUID | str, **fields: Any) -> None:
    """From the trainer: a line of its own among the child's."""
    file = places.job(job_id) / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as out:
        begin = b""
        if out.tell():  # a child that was killed may have left half a line
            out.seek(-1, 2)
            begin = b"" if out.read(1) == b"\n" else b"\n"
        out.write(begin + json.dumps({"time": round(time.time(), 3), **fields}).encode() + b"\n")


def say(job_id: UUID | str, sentence: str) -> None:
    """The same for a person, in the log too."""
    add(job_id, log=sentence)
    with (places.job(job_id) / "log.txt").open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {sentence}\n")
