"""A real training worker, kill -9 of it and of its child, and a cancel: the job goes on or stops, nothing is left."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.knowledge.conftest import until
from webapp.ops import parts, worker_pulse

PROJECT = Path(__file__).parents[2]
SET_UP = """
import django, json, sys
django.setup()
from pathlib import Path
from webapp.training import datasets, jobs
version = datasets.create_with_file("Where", "qa", None, "where.json", [Path(sys.argv[1]).read_bytes()])
job = jobs.launch("qa", version, {"base": "tiny@v1", "epochs": 400, "batch_size": 4, "rank": 4, "max_length": 64,
                                  "stride": 16, "precision": "float32", "checkpoint_seconds": 0.05}, None)
print(job.pk)
"""


class Site:
    """A data folder with its database, and the processes that work on it."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.environment = {
            **os.environ, "DATABASE_URL": "", "WENDA_DATA_DIR": str(folder), "REDIS_URL": redis_url,
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1", "DJANGO_SETTINGS_MODULE": "webapp.settings",
        }
        self.run("manage.py", "migrate", "--verbosity", "0")

    def run(self, *words: str) -> str:
        return subprocess.run([sys.executable, *words], env=self.environment, cwd=PROJECT, check=True, timeout=120,
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    @contextmanager
    def trainer(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(parts.trainer(self.redis_url).command, env=self.environment, cwd=PROJECT,
                                   stdout=(self.folder / "trainer.log").open("ab"), stderr=subprocess.STDOUT)
        try:
            until(lambda: worker_pulse.beats(self.redis_url, process.pid, worker_pulse.TRAINER))
            yield process
        finally:
            process.kill()
            process.wait()

    def job(self) -> tuple[str, int]:
        """Its status and step."""
        with closing(sqlite3.connect(self.folder / "wenda.sqlite3", timeout=20)) as database:
            return database.execute("SELECT status, step FROM training_job").fetchone()

    def ask(self, status: str) -> None:
        with closing(sqlite3.connect(self.folder / "wenda.sqlite3", timeout=20)) as database, database:
            database.execute("UPDATE training_job SET status = ?", [status])


def child_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    return until(lambda: next(iter(psutil.Process(process.pid).children()), None))


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def begun_at(folder: Path) -> list[int]:
    """The steps at which the job's children began."""
    events = (json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines())
    return [event["step"] for event in events if event.get("started")]


def reaches(site: Site, step: int) -> None:
    until(lambda: site.job()[0] == "running" and site.job()[1] >= step, 240)


@pytest.fixture
def site(tmp_path: Path, redis_url: str) -> Site:
    from models_service.registry import versions_in
    from tests.models_service.tiny_reader import save_tiny_reader

    save_tiny_reader(tmp_path / "tiny", seed=1)
    versions_in(tmp_path / "site" / "models").register(tmp_path / "tiny", "tiny")
    return Site(tmp_path / "site", redis_url)


def test_a_job_outlives_its_worker_and_its_child_and_stops_when_it_is_told_to(site, squad_file) -> None:
    job_id = site.run("-c", SET_UP, str(squad_file)).splitlines()[-1]
    folder = site.folder / "training" / "jobs" / job_id
    with site.trainer() as first:
        reaches(site, 20)
        child = child_of(first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        until(lambda: is_gone(child))
    with site.trainer() as second:
        until(lambda: len(begun_at(folder)) == 2, 240)
        reaches(site, begun_at(folder)[1] + 20)
        child = child_of(second)
        child.send_signal(signal.SIGKILL)
        until(lambda: len(begun_at(folder)) == 3, 240)
        child = child_of(second)
        site.ask("cancelling")
        until(lambda: site.job()[0] == "cancelled", 120)
        assert is_gone(child) and not psutil.Process(second.pid).children()
    kept = json.loads((folder / "checkpoint" / "state.json").read_text())["step"]
    first_begin, *later = begun_at(folder)
    assert first_begin == 0 and 20 <= later[0] < later[1] <= kept
    log = (folder / "log.txt").read_text()
    assert "the worker was lost" in log and "the training process was killed" in log and "stopped on request" in log
