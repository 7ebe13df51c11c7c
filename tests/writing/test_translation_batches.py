"""Files as jobs: handed in, translated by a worker, fetched; cancelled, broken, killed."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.conftest import is_problem
from tests.running_site import PROJECT, until
from webapp.ops import parts, worker_pulse

pytestmark = pytest.mark.django_db(transaction=True)


def hand_in(client: Any, *files: tuple[str, bytes], source: str = "en", target: str = "de") -> Any:
    uploads = [SimpleUploadedFile(name, data) for name, data in files]
    return client.post("/api/v1/translation-batches/", {"files": uploads, "source": source, "target": target})


def work(batch: dict[str, Any]) -> None:
    """What the worker does for each file of the batch."""
    from uuid import UUID

    from webapp.writing import translation_work

    for file in batch["files"]:
        translation_work.translate(UUID(file["id"]))


def test_files_are_translated_and_fetched_by_their_owner_alone(translators, program, alice, bob):
    page = b"<h1>The train</h1><p class=x>Where is <b>it</b>?</p>"
    response = hand_in(program(alice), ("a.html", page), ("notes.md", b"# One\n\n* two `x`\n"))
    assert response.status_code == 202, response.content
    batch = response.json()
    work(batch)
    shown = program(alice).get(f"/api/v1/translation-batches/{batch['id']}/").json()
    assert [(file["name"], file["status"], file["sentences_done"]) for file in shown["files"]] == [
        ("a.html", "done", 2), ("notes.md", "done", 2)]
    is_problem(program(bob).get(f"/api/v1/translation-batches/{batch['id']}/"), 404)
    from django.test import Client

    owner, other = Client(), Client()
    owner.force_login(alice)
    other.force_login(bob)
    fetched = owner.get(shown["files"][0]["url"])
    assert fetched["Content-Disposition"] == 'attachment; filename="a.de.html"'
    made = b"".join(fetched.streaming_content).decode()
    assert made.startswith("<h1>") and "<p class=x>" in made and made.count("<b>") == 1
    assert other.get(shown["files"][0]["url"]).status_code == 404


def test_a_file_that_cannot_be_translated_says_why_and_the_others_go_on(translators, program, alice):
    batch = hand_in(program(alice), ("old.docx", b"\xd0\xcf\x11\xe0" + bytes(600)), ("b.txt", b"A train.")).json()
    work(batch)
    old, good = program(alice).get(f"/api/v1/translation-batches/{batch['id']}/").json()["files"]
    assert old["status"] == "failed" and "password" in old["error"]
    assert good["status"] == "done"
    assert program(alice).post(f"/api/v1/translation-files/{old['id']}/retry/").json()["status"] == "queued"


def test_an_unknown_pair_fails_with_what_is_offered(translators, program, alice):
    batch = hand_in(program(alice), ("b.txt", b"A train."), target="xx").json()
    work(batch)
    (file,) = program(alice).get(f"/api/v1/translation-batches/{batch['id']}/").json()["files"]
    assert file["status"] == "failed" and "en-de" in file["error"]


@pytest.mark.parametrize(("files", "part"), [
    ([("a.xlsx", b"x")], ".docx"), ([("a.txt", b"")], "empty"), ([("a.txt", b"ok"), ("b.exe", b"x")], "b.exe"),
])
def test_what_cannot_be_taken_is_refused_at_once_and_nothing_is_left(program, alice, data_dir, files, part):
    assert part in is_problem(hand_in(program(alice), *files), 400)["detail"]
    assert program(alice).get("/api/v1/translation-batches/").json()["results"] == []
    assert not list(data_dir.glob("translations/*/*"))


def test_a_file_larger_than_the_site_takes_is_refused(program, alice, settings):
    settings.MAX_UPLOAD_BYTES = 1_000
    is_problem(hand_in(program(alice), ("a.txt", b"word " * 400)), 413)


def test_a_cancelled_file_is_not_translated_and_a_deleted_one_leaves_nothing(translators, program, alice, data_dir):
    batch = hand_in(program(alice), ("a.txt", b"A train.")).json()
    identifier = batch["files"][0]["id"]
    assert program(alice).post(f"/api/v1/translation-files/{identifier}/cancel/").json()["status"] == "cancelled"
    work(batch)
    is_problem(program(alice).post(f"/api/v1/translation-files/{identifier}/cancel/"), 409)
    assert program(alice).get(f"/api/v1/translation-files/{identifier}/").json()["status"] == "cancelled"
    assert program(alice).delete(f"/api/v1/translation-files/{identifier}/").status_code == 204
    assert not list(data_dir.glob("translations/*/*"))
    assert program(alice).get("/api/v1/translation-batches/").json()["results"] == []


class Site:
    """The worker of a site with a data folder of its own."""

    def __init__(self, folder: Path, redis_url: str, models_url: str) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.environment = {
            **os.environ, "DATABASE_URL": "", "WENDA_DATA_DIR": str(folder), "REDIS_URL": redis_url,
            "MODELS_SERVICE_URLS": models_url,
            "OMP_NUM_THREADS": "1", "DJANGO_SETTINGS_MODULE": "webapp.settings",
        }
        self.run("-m", "django", "migrate", "--verbosity", "0")

    def run(self, *words: str) -> str:
        return subprocess.run([sys.executable, *words], env=self.environment, cwd=PROJECT, check=True, timeout=120,
                              stdout=subprocess.PIPE, text=True).stdout

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(parts.worker(self.redis_url).command, env=self.environment, cwd=PROJECT,
                                   stdout=(self.folder / "worker.log").open("ab"), stderr=subprocess.STDOUT)
        try:
            until(lambda: worker_pulse.beats(self.redis_url, process.pid))
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    def row(self) -> tuple[str, int, int]:
        with closing(sqlite3.connect(self.folder / "wenda.sqlite3", timeout=20)) as database:
            return database.execute(
                "SELECT status, sentences_done, sentences_total FROM writing_translationfile").fetchone()


HAND_IN = """
import django, sys; django.setup()
from webapp.accounts.models import User
from webapp.writing import translation_batches
owner = User.objects.create_user(username="alice", password="x")
text = "\\n".join(f"The train number {i} leaves at 7:{i % 60:02}." for i in range(400))
batch = translation_batches.create(owner, [("book.txt", [text.encode()])], "en", "de")
print(translation_batches.folder(batch.files.get().pk))
"""


@pytest.mark.slow
def test_a_file_whose_worker_is_killed_is_taken_up_where_it_was(tmp_path, redis_url, translators_process):
    site = Site(tmp_path / "site", redis_url, translators_process.url)
    with site.worker() as first:
        place = Path(site.run("-c", HAND_IN).strip())
        until(lambda: site.row()[1] > 0)
        with translators_process.frozen():
            first.send_signal(signal.SIGKILL)
            first.wait()
            status, done, total = site.row()
            assert (status, total) == ("running", 400) and 0 < done < 400
            kept = len((place / "sentences").read_text().splitlines())
    with site.worker():
        until(lambda: site.row()[0] == "done", 120)
    taken_up = [int(number) for number in re.findall(r"(\d+) sentences known from before", site.log)]
    assert len(taken_up) == 2 and taken_up[1] >= kept // 2 > 0
    assert (place / "made").read_text().count("\n") == 399
    assert not (place / "sentences").exists()
