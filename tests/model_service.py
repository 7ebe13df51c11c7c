"""A real model service in a process of its own, which a test can freeze to hold an answer in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 90


@dataclass
class RunningModels:
    process: subprocess.Popen[bytes]
    url: str

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing is computed while the block lasts; requests wait."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_models(folder: Path | None = None, **environment: str) -> Iterator[RunningModels]:
    """A model service; `folder` holds the models that are served beside the starters."""
    from webapp.ops.preflight import free_port

    port = free_port()
    command = [sys.executable, "-m", "models_service", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--models", str(folder)] if folder else []
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "2", **environment})
    try:
        end = time.monotonic() + START_SECONDS
        while not _is_ready(port):
            assert process.poll() is None and time.monotonic() < end, "the model service did not start"
            time.sleep(0.1)
        yield RunningModels(process, f"ws://127.0.0.1:{port}/ws")
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def models_process() -> Iterator[RunningModels]:
    with running_models() as running:
        yield running


def _is_ready(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
        return response.status == 200
    return False


@pytest.fixture
def models(models_process: RunningModels, settings) -> Iterator[RunningModels]:
    """The site's model service."""
    from webapp.chat import answering

    settings.MODELS_SERVICE_URLS = [models_process.url]
    answering.model_service.cache_clear()
    yield models_process
    answering.model_service.cache_clear()
