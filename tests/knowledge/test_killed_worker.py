"""A real Celery worker, and kill -9 of it or of its Redis in the middle of a document: the work is done, once."""

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

import pytest

from qa.index import CollectionIndex
from tests.knowledge.conftest import start_redis, until
from webapp.ops import parts, worker_pulse
from webapp.settings.places import redis_socket

PROJECT = Path(__file__).parents[2]
PASSAGES = 300


class Site:
    """The processes of a site with a data folder of its own, without a web server."""

    def __init__(self, folder: Path, redis_url: str, models_url: str) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.environment = {
            **os.environ, "DATABASE_URL": "", "WENDA_DATA_DIR": str(folder), "REDIS_URL": redis_url,
            "MODELS_SERVICE_URLS": models_url,
            "OMP_NUM_THREADS": "1",
        }
        self.run("migrate", "--verbosity", "0")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(PROJECT / "manage.py"), *words]

    def run(self, *words: str) -> str:
        return subprocess.run(self.command(*words), env=self.environment, cwd=PROJECT, check=True, timeout=120,
                              stdout=subprocess.PIPE, text=True).stdout

    @contextmanager
    def ingesting(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(self.command("ingest", *words, "--json"), env=self.environment, cwd=PROJECT,
                                   stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(parts.worker(self.redis_url).command, env=self.environment, cwd=PROJECT,
                                   stdout=(self.folder / "worker.log").open("ab"), stderr=subprocess.STDOUT)
        try:
            until(lambda: worker_pulse.beats(self.redis_url, process.pid) or self._died(process))
            yield process
        finally:
            process.kill()
            process.wait()

    def _died(self, process: subprocess.Popen[bytes]) -> None:
        assert process.poll() is None, (self.folder / "worker.log").read_text()[-3000:]

    def row(self) -> tuple[str, int]:
        """The one document's status and how many of its passages are embedded."""
        with closing(sqlite3.connect(self.folder / "wenda.sqlite3", timeout=20)) as database:
            found = database.execute("SELECT status, passages_done FROM knowledge_document").fetchone()
        return found or ("", 0)


@pytest.fixture
def site(tmp_path: Path, redis_url: str, models_process) -> Site:
    return Site(tmp_path / "site", redis_url, models_process.url)


def write_book(folder: Path) -> Path:
    book = folder / "book.txt"
    sentence = "Keeper number {i} of the lighthouse wrote the weather of that day into the book with great care. "
    book.write_text("\n\n".join(sentence.format(i=i) * 7 for i in range(PASSAGES)))
    return book


def check_that_the_book_is_whole(site: Site, output: str) -> None:
    """The command's result says ready, and no passage is missing from the index or in it twice."""
    result = json.loads(output)
    (document,) = result["documents"]
    assert (document["status"], result["ready"]) == ("ready", 1)
    index = CollectionIndex(site.folder / "indexes" / result["collection"]["id"])
    assert index.count() == document["passages"] > PASSAGES * 0.9
    with closing(sqlite3.connect(index.folder / "index.sqlite")) as database:
        ranges = database.execute('SELECT start, "end" FROM passages').fetchall()
    assert len(ranges) == len(set(ranges))
    assert not list((site.folder / "documents").glob("*/*/vectors.part"))


def test_a_document_whose_worker_is_killed_becomes_ready_with_no_passage_doubled(site, tmp_path):
    book = write_book(tmp_path)
    with site.worker() as first, site.ingesting(str(book), "--collection", "Books") as command:
        status, done = until(lambda: site.row() if site.row()[1] > 0 else None)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert status == "processing" and done < PASSAGES
        kept = next((site.folder / "documents").glob("*/*/vectors.part")).stat().st_size
        assert kept > 384 * 4
        with site.worker():
            output, _ = command.communicate(timeout=300)
    assert command.returncode == 0
    check_that_the_book_is_whole(site, output)


def test_a_worker_whose_redis_is_killed_ends_its_document_and_takes_the_next(tmp_path, models_process):
    redis = start_redis(tmp_path)
    try:
        site = Site(tmp_path / "site", f"unix://{redis_socket(tmp_path)}", models_process.url)
        with site.worker() as worker, site.ingesting(str(write_book(tmp_path)), "--collection", "Books") as command:
            until(lambda: site.row()[1] > 0)
            redis.kill()
            redis.wait()
            redis = start_redis(tmp_path)
            output, _ = command.communicate(timeout=300)
            check_that_the_book_is_whole(site, output)
            until(lambda: worker_pulse.beats(site.redis_url, worker.pid))
            note = tmp_path / "note.txt"
            note.write_text("The lamp was lit at dusk.")
            assert json.loads(site.run("ingest", str(note), "--collection", "Notes", "--json"))["ready"] == 1
    finally:
        redis.kill()
        redis.wait()


def test_a_document_that_was_never_put_into_the_queue_is_found_by_the_worker(site, tmp_path):
    environment = {**site.environment, "REDIS_URL": f"unix://{tmp_path}/nowhere.sock"}
    code = (
        "import django; django.setup()\n"
        "from webapp.knowledge import services\n"
        "collection = services.create_collection(None, 'Notes', visibility='everyone')\n"
        "services.add_document(collection, 'note.txt', [b'The lamp was lit at dusk.'], None)\n"
    )
    environment["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=PROJECT, check=True, timeout=60)
    assert site.row() == ("queued", 0)
    with site.worker():
        until(lambda: site.row() == ("ready", 1))
