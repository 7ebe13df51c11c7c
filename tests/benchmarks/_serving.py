"""A model service of a benchmark's own, and texts to ask it about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.passages import split
from webapp.ops.preflight import free_port

PAGES = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter" / "en"
ASKED = Path(__file__).parents[1] / "data" / "help_questions.json"
START_SECONDS = 300


@dataclass(frozen=True)
class Serving:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def state(self) -> dict[str, Any]:
        """What it tells of itself; empty while nothing listens."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as response:
            return json.load(response)
        return {}

    def metric(self, name: str) -> float:
        """The sum of a metric's values over all models."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[Serving]:
    """`python -m models_service` with these arguments, ready."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "models_service", "--port", str(port), *arguments], stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    running = Serving(port, process)
    try:
        end = time.monotonic() + START_SECONDS
        while not running.state().get("ready"):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("The model service did not start; `python -m models_service` says why.")
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait()


def passages(count: int) -> list[str]:
    """Of the help pages, cut as a document's are, repeated until there are enough."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        found += [text[passage.start : passage.end] for passage in split(text)]
    return (found * (count // len(found) + 1))[:count]


def questions(count: int) -> list[str]:
    asked = [one["question"] for one in json.loads(ASKED.read_text(encoding="utf-8")) if one["language"] == "en"]
    return (asked * (count // len(asked) + 1))[:count]
