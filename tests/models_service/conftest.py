"""A model service in a process of its own, with the starter encoder and a reader of random weights."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.models_service.tiny_reader import save_tiny_reader
from webapp.ops.preflight import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 300
FAST_START = {"WENDA_MODEL_FORMS": "all-MiniLM-L6-v2=float32,wenda-reader=float32"}
"""Otherwise a service measures first what is fastest here."""


class ServiceProcess:
    """`python -m models_service` on a port that it keeps over restarts."""

    def __init__(
        self, reader: Path | None, *, models: Path | None = None, generator: Path | None = None, **environment: str
    ) -> None:
        """`reader` is served whatever is promoted; `models` is the folder of the registry."""
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self._reader = reader
        self._models = models
        self._generator = generator
        self._environment = environment
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, open as long as this object
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        command = [sys.executable, "-m", "models_service", "--port", str(self.port)]
        if self._reader:
            command += ["--model", f"wenda-reader={self._reader}"]
        if self._models:
            command += ["--models", str(self._models)]
        if self._generator:
            command += ["--generator", str(self._generator)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2", **FAST_START, **self._environment}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=self._log)

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while self.get("/readyz")[0] != 200:
            assert self.process.poll() is None and time.monotonic() < end, "the model service did not start"
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 when nothing listens."""
        with suppress(OSError):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                    return response.status, response.read().decode()
            except urllib.error.HTTPError as refused:
                return refused.code, refused.read().decode()
        return 0, ""

    def metric(self, line: str) -> float:
        """The value of one line of /metrics, 0 when it is not there."""
        values = [row.rsplit(" ", 1)[1] for row in self.get("/metrics")[1].splitlines() if row.startswith(line + " ")]
        return float(values[0]) if values else 0.0

    def log(self) -> str:
        """What it has written so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture(scope="session")
def tiny_reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole reader of two small layers, with a calibration."""
    folder = tmp_path_factory.mktemp("tiny-reader")
    save_tiny_reader(folder, seed=0)
    return folder


@pytest.fixture(scope="session")
def shared_service(tiny_reader: Path) -> Iterator[ServiceProcess]:
    service = ServiceProcess(tiny_reader)
    service.start()
    try:
        service.wait_until_ready()
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


@pytest.fixture
def service(shared_service: ServiceProcess) -> ServiceProcess:
    """The test run's service, started again when the test before has killed it."""
    if shared_service.process.poll() is not None:
        shared_service.start()
    shared_service.wait_until_ready()
    return shared_service
