"""Reading documents in, with the real model service: what becomes searchable, what fails, what is given up."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import threading
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from redis import Redis

from models_service.client import ModelService
from qa import reading
from qa.documents import DocumentError
from qa.index import CollectionGone, CollectionIndex, IndexedDocument
from qa.passages import Passage
from qa.retrieve import retrieve
from tests.knowledge.conftest import STORY, until
from webapp.knowledge import ingestion, services, storage, tidying, work, worker
from webapp.knowledge.kept_vectors import KeptVectors
from webapp.knowledge.models import Collection, Document, DocumentStatus

pytestmark = pytest.mark.django_db(transaction=True)


def ask(question: str, collection: Any, url: str) -> list[Any]:
    """The passages found, best first."""

    async def found() -> list[Any]:
        async with ModelService([url]) as models:
            return await retrieve(question, [(str(collection.pk), storage.index(collection.pk))], models)

    return [hit.passage for hit in asyncio.run(found())]


@contextmanager
def being_read(document: Any):
    """Read the document in on a thread; the block runs once its passages are known."""
    from django.db import connection

    def run() -> None:
        worker.ingest(document.pk)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: Document.objects.filter(pk=document.pk, passages_total__gt=0).exists())
        yield thread
    finally:
        thread.join(60)
        assert not thread.is_alive()


def folders_left() -> list[str]:
    return [path.name for path in storage.documents().folder("x").parent.parent.glob("*/*")]


def test_a_document_becomes_searchable_and_its_passages_are_exact_ranges_of_it(collection, add, read_in, models):
    document = read_in(add(collection))
    assert (document.status, document.error, document.lease) == (DocumentStatus.READY, "", "")
    assert document.passages_done == document.passages_total == storage.index(collection.pk).count() > 0
    best = ask("Who built the lighthouse?", collection, models.url)[0]
    text = storage.documents().text(str(document.pk))
    assert text == STORY and text[best.start : best.end] == best.text and "Ingrid Halloran" in best.text
    assert not list(storage.document_folder(document.pk).glob("*.part"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gb.txt", "灯塔建于一八七一年，由工程师设计。它位于离岸两英里的礁石上。".encode("gb18030"), "灯塔建于"),
        ("wide.txt", STORY.encode("utf-16"), "granite reef"),
        ("wide-without-mark.txt", STORY.encode("utf-16-le"), "granite reef"),
        ("page.html", b"<title>Reef</title><script>no()</script><p>A granite reef.</p>", "A granite reef."),
        ("line.txt", ("lantern " * 25_000).encode()[:200_000], "lantern lantern"),
        ("unbroken.txt", b"x" * 200_000, "xxxxxx"),
        ("deep.html", b"<div>" * 3_000 + b"granite" + b"</div>" * 3_000, "granite"),
    ],
)
def test_every_encoding_and_shape_of_text_becomes_searchable(collection, add, read_in, name, content, words):
    document = read_in(add(collection, content, name))
    assert document.status == DocumentStatus.READY, document.error
    assert words in storage.documents().text(str(document.pk))
    assert storage.index(collection.pk).count() == document.passages_total


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "it is a binary file"),
        ("blank.txt", b" \n\t\n ", "blank.txt holds no text"),
        ("script.html", b"<script>only()</script>", "script.html holds no text"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_a_sentence_and_can_be_deleted(
    collection, add, read_in, name, content, sentence
):
    document = read_in(add(collection, content, name))
    assert document.status == DocumentStatus.FAILED and sentence in document.error
    services.delete_document(document)
    assert folders_left() == []


def test_a_file_that_keeps_its_parser_busy_is_stopped_and_says_so(tmp_path):
    slow = tmp_path / "slow.txt"
    slow.write_bytes("\n\n".join(f"Sentence number {i}. And one more." for i in range(400_000)).encode())
    with pytest.raises(DocumentError, match="more time or memory"):
        reading.read(slow, "slow.txt", cpu_seconds=1)


def test_the_same_document_read_in_again_has_no_passage_twice(collection, add, read_in):
    document = read_in(add(collection))
    Document.objects.filter(pk=document.pk).update(status=DocumentStatus.QUEUED)
    again = read_in(document)
    assert again.status == DocumentStatus.READY
    assert storage.index(collection.pk).count() == again.passages_total


def test_a_document_that_another_task_works_on_is_left_alone(collection, add, models):
    document = add(collection)
    with models.frozen(), being_read(document):
        lease = Document.objects.get(pk=document.pk).lease
        with asyncio.Runner() as runner:
            ingestion.ingest(document.pk, ModelService([models.url]), runner)  # does not wait for the frozen service
        assert Document.objects.get(pk=document.pk).lease == lease
        models.process.send_signal(signal.SIGCONT)
    document.refresh_from_db()
    assert document.status == DocumentStatus.READY
    assert storage.index(collection.pk).count() == document.passages_total


def test_a_document_deleted_while_it_is_read_leaves_nothing_behind(collection, add, models):
    document = add(collection)
    with models.frozen(), being_read(document):
        services.delete_document(document)
    assert not Document.objects.exists() and folders_left() == []
    with suppress(CollectionGone):
        assert storage.index(collection.pk).count() == 0


def test_a_collection_deleted_while_its_document_is_read_leaves_nothing_behind(collection, add, models, settings):
    document = add(collection)
    with models.frozen(), being_read(document):
        services.delete_collection(collection)
    assert not Document.objects.exists() and folders_left() == []
    assert list((settings.DATA_DIR / "indexes").glob("*")) == []


def test_a_document_deleted_between_publishing_and_its_row_is_taken_out_of_the_index(
    collection, add, models, monkeypatch
):
    document = add(collection)
    publish = CollectionIndex.publish

    def deleted_meanwhile(self: CollectionIndex, *args: Any) -> None:
        Document.objects.filter(pk=document.pk).delete()
        publish(self, *args)

    monkeypatch.setattr(CollectionIndex, "publish", deleted_meanwhile)
    worker.ingest(document.pk)
    assert storage.index(collection.pk).count() == 0 and folders_left() == []


def test_while_the_model_service_is_away_the_document_waits_says_so_and_goes_on_by_itself(
    collection, add, models, settings, monkeypatch
):
    monkeypatch.setattr(worker, "MODEL_PATIENCE_SECONDS", 0.2)
    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    document = add(collection)
    with being_read(document):
        until(lambda: "Waiting for the model service" in Document.objects.get(pk=document.pk).error)
        settings.MODELS_SERVICE_URLS = [models.url]
    document.refresh_from_db()
    assert (document.status, document.error) == (DocumentStatus.READY, "")


def test_a_worker_that_is_asked_to_end_hands_its_document_back(collection, add, models):
    document = add(collection)
    try:
        with models.frozen(), being_read(document):
            work.stopping.set()
    finally:
        work.stopping.clear()
    document.refresh_from_db()
    assert (document.status, document.lease) == (DocumentStatus.QUEUED, "")


def test_the_lease_of_a_dead_process_is_freed_and_that_of_a_living_one_kept(collection, add):
    dead, living = add(collection, "one"), add(collection, "two")
    mine = work.Work.claim(living.pk)
    other = work.Work.claim(dead.pk)
    machine, _pid, started, token = other.lease.split(":")
    Document.objects.filter(pk=dead.pk).update(lease=f"{machine}:{2**22 - 1}:{started}:{token}")
    assert work.free_leases_of_the_dead() == 1
    assert [document.pk for document in work.waiting()] == [dead.pk]
    assert Document.objects.get(pk=living.pk).lease == mine.lease


def test_progress_that_is_written_late_leaves_how_it_ended_and_why(collection, add):
    document = add(collection)
    mine = work.Work.claim(document.pk)
    mine.done, mine.total = 1, 3
    mine._look()
    document.refresh_from_db()
    assert (document.status, document.passages_done, document.passages_total) == (DocumentStatus.PROCESSING, 1, 3)
    mine.done = 2
    mine.change(status=DocumentStatus.FAILED, error="another encoder")
    mine._look()  # the thread that renews the lease was slower than the failure
    document.refresh_from_db()
    assert (document.status, document.error, document.passages_done) == (DocumentStatus.FAILED, "another encoder", 1)


def test_vectors_of_a_killed_attempt_are_taken_over_except_a_row_that_was_cut_short(tmp_path):
    file, passages = tmp_path / "vectors.part", [Passage(i, i + 1) for i in range(5)]
    rows = np.eye(5, 8, dtype=np.float32)
    with KeptVectors(file, "abcde", passages) as kept:
        kept.append(rows[:2])
        kept.append(rows[2:4])
    with file.open("r+b") as cut:
        cut.truncate(file.stat().st_size - 5)
    with KeptVectors(file, "abcde", passages) as kept:
        assert kept.count == 3
        kept.trust_if_from_the_same_encoder(rows[0])
        kept.append(rows[3:])
        assert np.array_equal(kept.vectors(), rows)


@pytest.mark.parametrize("change", ["text", "cuts", "encoder"])
def test_vectors_of_another_text_other_cuts_or_another_encoder_are_not_taken_over(tmp_path, change):
    file, passages = tmp_path / "vectors.part", [Passage(0, 2), Passage(2, 4)]
    rows = np.eye(2, 8, dtype=np.float32)
    with KeptVectors(file, "abcd", passages) as kept:
        kept.append(rows)
    text = "abcx" if change == "text" else "abcd"
    cuts = [Passage(0, 1), Passage(1, 4)] if change == "cuts" else passages
    with KeptVectors(file, text, cuts) as kept:
        if kept.count:
            kept.trust_if_from_the_same_encoder(rows[1] if change == "encoder" else rows[0])
        assert kept.count == 0


def test_a_document_added_to_fifty_thousand_passages_rewrites_none_of_their_files(collection, add, read_in, models):
    index = storage.make_index(collection.pk)
    count = 50_000
    vectors = np.random.default_rng(0).standard_normal((count, 384), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    text = "".join(f"entry {i:07d} " for i in range(count))
    index.publish(IndexedDocument("big", "Big", "text/plain"), text,
                  [Passage(i * 14, i * 14 + 13) for i in range(count)], vectors)
    before = _files(index)
    document = read_in(add(collection))
    assert index.count() == count + document.passages_total
    assert before.items() <= _files(index).items()
    assert ask("Who built the lighthouse of Marrow Point?", collection, models.url)[0].document.id == str(document.pk)


def _files(index: CollectionIndex) -> dict[str, tuple[int, int]]:
    stats = ((path.name, path.stat()) for path in (index.folder / "segments").iterdir())
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats}


def test_leftovers_of_a_process_killed_at_the_wrong_moment_are_removed_and_nothing_else(
    collection, add, read_in, monkeypatch
):
    kept, lost = read_in(add(collection)), read_in(add(collection, STORY.upper(), "loud.txt"))
    Document.objects.filter(pk=lost.pk).delete()  # its row alone: as if the process had died right after
    orphan = storage.make_index("00000000-0000-4000-8000-000000000000")
    monkeypatch.setattr(tidying, "GRACE_SECONDS", -1)
    assert tidying.tidy() == 3
    assert folders_left() == [str(kept.pk)] and not orphan.folder.exists()
    assert storage.index(collection.pk).document_ids() == {str(kept.pk)}
    assert Collection.objects.filter(pk=collection.pk).exists() and tidying.tidy() == 0


def test_an_idle_worker_asks_again_for_documents_whose_message_was_lost(collection, add, redis_url):
    document = add(collection)
    assert worker.sweep() == 0  # it may still be on its way
    Document.objects.filter(pk=document.pk).update(updated_at="2020-01-01T00:00:00Z")
    assert worker.sweep() == 0  # it waits in the queue
    with Redis.from_url(redis_url) as redis:
        redis.delete("celery")
        assert worker.sweep() == 1 and str(document.pk).encode() in base64.b64decode(
            json.loads(redis.lindex("celery", 0))["body"])


def test_deleted_and_rarely_used_indexes_do_not_stay_in_memory(collection, add, read_in, monkeypatch):
    read_in(add(collection))
    index = storage.index(collection.pk)
    index.dense(np.ones(384, dtype=np.float32), 1)
    assert storage.index(collection.pk) is index and index.memory_bytes > 0
    monkeypatch.setattr(storage, "CACHED_BYTES", 1)
    storage.index("00000000-0000-4000-8000-000000000000")
    assert index not in storage._cached.values()
    assert storage.index(collection.pk) is not index
