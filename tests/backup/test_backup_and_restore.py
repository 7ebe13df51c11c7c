"""A backup that is made while documents are read in restores to a site that answers as the first one did."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import threading
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from qa.index import CollectionIndex
from tests.library import BRIDGE, TOWER, add_collection
from tests.webapp.test_encryption import read_in
from webapp.audit.models import Action, Entry
from webapp.backup import making, restoring, settling, staging
from webapp.errors import BadInput, Conflict
from webapp.knowledge import services, storage, worker
from webapp.knowledge.models import Document, DocumentStatus
from webapp.settings.table import PROJECT

pytestmark = pytest.mark.django_db(transaction=True)

QUESTIONS = ("How tall is the Eiffel Tower?", "When did the Golden Gate Bridge open?", "Who eats moon dust?")


def answers(collection: Any) -> list[Any]:
    """What each question is answered with; times apart, all of it."""
    from webapp.chat import answering

    async def last(question: str) -> Any:
        events = [event async for event in answering.events_from([str(collection.pk)], question, generate=False)]
        done = events[-1].model_dump(mode="json")
        return {name: value for name, value in done.items() if name not in ("timings", "id", "usage")}

    return [asyncio.run(last(question)) for question in QUESTIONS]


def restored_by_command(archive: Path, data: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WENDA_")}
    done = subprocess.run([sys.executable, "manage.py", "restore", str(archive), "--json"], cwd=PROJECT, text=True,
                          capture_output=True, env={**environment, "WENDA_DATA_DIR": str(data)}, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_backup_during_ingestion_restores_to_the_same_answers(
    models, redis_url, alice, data_dir, tmp_path_factory, settings, capsys
):
    (data_dir / "secret-key").write_text("never in a backup")
    library = add_collection(alice, tower=TOWER, bridge=BRIDGE)
    before = answers(library)
    assert before[0]["answer"], "there is something to compare"
    other = services.create_collection(alice, "Growing")
    under_way, enough = threading.Event(), threading.Event()

    def keep_adding() -> None:
        for number in range(200):
            if enough.is_set():
                break
            text = f"Keeper {number} lives in house {number}.\n\n" * 40
            document, _known = services.add_document(other, f"k{number}.txt", [text.encode()], alice)
            worker.ingest(document.pk)
            if number % 3 == 2:
                services.delete_document(Document.objects.filter(collection=other).first())
            if number == 2:
                under_way.set()
        connection.close()

    adding = threading.Thread(target=keep_adding)
    adding.start()
    try:
        assert under_way.wait(240)
        archive = tmp_path_factory.mktemp("backups") / "site.tar.gz"
        call_command("backup", str(archive), "--json")
    finally:
        enough.set()
        adding.join(120)
    made = json.loads(capsys.readouterr().out)
    assert made["size"] == archive.stat().st_size and archive.stat().st_mode & 0o077 == 0
    assert not list(archive.parent.glob(".*")) and not list((data_dir / "run").glob("backup-*"))
    assert Entry.objects.filter(action=Action.BACKED_UP, subject="site.tar.gz").exists()
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert names[-1] == "manifest.json" and not [name for name in names if "secret" in name or "redis" in name]

    site = tmp_path_factory.mktemp("restored")
    told = restored_by_command(archive, site)
    assert told["settled"]["damaged_indexes"] == [] and told["encryption"] == "ok"
    with closing(sqlite3.connect(site / "wenda.sqlite3")) as database:
        found = database.execute("SELECT id, collection_id, status FROM knowledge_document").fetchall()
        assert database.execute("SELECT count(*) FROM audit_entry WHERE action = 'restored'").fetchone() == (1,)
    assert len(found) == told["settled"]["documents"] >= 4
    settings.DATA_DIR = site
    for identifier, collection, status in found:
        if status == DocumentStatus.READY:
            identifier = str(uuid.UUID(identifier))
            assert storage.documents().text(identifier)
            assert any(identifier in CollectionIndex(folder).document_ids()
                       for folder in (site / "indexes").iterdir()), (collection, "cannot be found")
    assert answers(library) == before
    with pytest.raises(Conflict, match="is not empty"):
        restoring.restore(archive)


def test_settling_reads_anew_what_cannot_be_found_and_tells_of_what_has_no_file(redis_url, alice):
    library = services.create_collection(alice, "Library")
    tower, bridge = (services.add_document(library, name, [text.encode()], alice)[0]
                     for name, text in (("tower.txt", TOWER), ("bridge.txt", BRIDGE)))
    read_in(tower)
    read_in(bridge)
    lost = services.add_document(library, "lost.txt", [b"words"], alice)[0]
    storage.delete_files(lost.pk)
    storage.delete_from_index(library.pk, tower.pk)
    done = settling.settle()
    assert (done.documents, done.to_read, done.without_file, done.damaged_indexes) == (3, 1, 1, [])
    for document in (tower, bridge, lost):
        document.refresh_from_db()
    assert (tower.status, bridge.status, lost.status) == ("queued", "ready", "failed")
    assert "not in the backup" in lost.error
    for segment in storage.index_folder(library.pk).glob("segments/*"):
        segment.write_bytes(b"damaged")
    assert settling.settle().damaged_indexes == ["Library"]
    bridge.refresh_from_db()
    assert bridge.status == "queued"
    read_in(bridge)
    assert bridge.status == "ready"


def test_what_is_held_outlives_what_is_deleted_and_what_is_in_the_making_stays_out(data_dir, tmp_path_factory):
    for name in ("documents/ab/1/original", "documents/ab/1/.text.txt", "documents/ab/1/vectors.part",
                 "documents/ab/.new-x/original", "incoming/1", "secret-key", "setup-token", "exports/1/w.zip",
                 "models/reader/v1/version.json", "graph/current", "graph/generations/3/about.json",
                 "graph/generations/2/about.json"):
        (data_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / name).write_text("3" if name == "graph/current" else name)
    held = data_dir / "run" / "held"
    staging.hold(held)
    (data_dir / "documents/ab/1/original").unlink()
    assert {path.relative_to(held).as_posix(): path.read_text() for path in staging.files_in(held)} == {
        name: "3" if name == "graph/current" else name for name in (
            "documents/ab/1/original", "graph/current", "graph/generations/3/about.json",
            "models/reader/v1/version.json")}


def test_a_backup_overwrites_nothing_and_leaves_nothing_half(data_dir, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("backups")
    with pytest.raises(BadInput, match="end in .tar"):
        making.make(folder / "site.zip")
    with pytest.raises(BadInput, match="no folder"):
        making.make(folder / "gone" / "site.tar")
    (folder / "site.tar").write_text("precious")
    with pytest.raises(CommandError, match="overwrites nothing"):
        call_command("backup", str(folder / "site.tar"))
    assert (folder / "site.tar").read_text() == "precious"
    left = data_dir / "run" / "backup-killed"
    left.mkdir(parents=True)
    with making._staged(), pytest.raises(Conflict, match="Another backup"):
        making.make(folder / "other.tar")
    assert not left.exists()
    monkeypatch.setattr(making.archive, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        making.make(folder / "other.tar")
    assert [path.name for path in folder.iterdir()] == ["site.tar"] and not list((data_dir / "run").glob("backup-*"))


def test_a_refused_archive_leaves_the_data_folder_empty(data_dir, tmp_path_factory):
    archive = tmp_path_factory.mktemp("backups") / "site.tar"
    archive.write_bytes(b"no archive")
    with pytest.raises(BadInput, match="no backup of Wenda"):
        restoring.restore(archive)
    with pytest.raises(BadInput, match="no file"):
        restoring.restore(archive.with_name("gone.tar"))
    assert not [path for path in data_dir.rglob("*") if path.is_file()]
