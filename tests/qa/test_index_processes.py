"""The index among processes: some are killed at any moment, some publish at once, one deletes what another reads."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from qa import index_database as database
from qa import segments as segment_files
from qa.index import CollectionGone, CollectionIndex
from tests.qa import publisher
from tests.qa.publisher import passage_texts, publish, vector_of

KILLS = 20


@pytest.fixture(scope="module")
def processes():
    """Processes that start in milliseconds, with the index's libraries loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.qa.publisher"])
    return context


def run(processes, target, *args) -> None:
    process = processes.Process(target=target, args=args)
    process.start()
    process.join()
    assert process.exitcode == 0


def published(folder: Path) -> dict[str, list[str]]:
    """The passages of each document, read from the database alone, and that every part of the index agrees."""
    with closing(sqlite3.connect(folder / database.DATABASE_NAME)) as connection:
        documents = dict(connection.execute("SELECT id, passages FROM documents"))
        rows = connection.execute("SELECT id, document, text FROM passages ORDER BY document, start").fetchall()
        words = [row[0] for row in connection.execute("SELECT rowid FROM words")]
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        live = database.manifest(connection)[1]
    passages: dict[str, list[str]] = {document: [] for document in documents}
    for _, document, text in rows:
        passages[document].append(text)
    assert {document: len(texts) for document, texts in passages.items()} == documents
    assert sorted(words) == sorted(row[0] for row in rows)
    vectors = Counter(int(i) for wanted in live for i in segment_files.load(folder / "segments", wanted).content()[0])
    assert set(vectors.values()) <= {1}
    assert {row[0] for row in rows} <= set(vectors)
    return passages


def possible_versions(journal: Path) -> tuple[set[str], dict[str, list[int]]]:
    """The documents that were done once, and for each the version done last with those begun since."""
    done: set[str] = set()
    possible: dict[str, list[int]] = {}
    for line in journal.read_text().splitlines() if journal.exists() else ():
        what, document, version = line.split()
        if what == "done":
            done.add(document)
            possible[document] = [int(version)]
        else:
            possible.setdefault(document, []).append(int(version))
    return done, possible


def test_a_publisher_killed_at_any_moment_leaves_the_old_index_or_the_new_one(processes, tmp_path: Path):
    folder, journal = tmp_path / "collection", tmp_path / "journal"
    reader = CollectionIndex.create(folder)
    chance = random.Random()
    for kill in range(KILLS):
        process = processes.Process(target=publisher.publish_until_killed, args=(folder, journal, 1 + kill * 1000))
        process.start()
        process.join(timeout=chance.uniform(0.05, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL

        reader.check()
        passages = published(folder)
        done, possible = possible_versions(journal)
        assert done <= set(passages) <= set(possible)
        for document, texts in passages.items():
            assert texts in [passage_texts(document, version) for version in possible[document]]
            nearest = reader.dense(vector_of(texts[-1]), 1)
            assert reader.passages([nearest[0][0]])[nearest[0][0]].text == texts[-1]
    assert done, "no publisher lived long enough to finish one document"
    publish(reader, "after", 1)
    live = {segment.name for segment in reader._loaded[1]} if reader.dense(vector_of("x"), 1) else set()
    assert {path.name for path in (folder / "segments").iterdir()} == live


def test_several_processes_publish_into_one_index_at_once(processes, tmp_path: Path):
    folder = tmp_path / "collection"
    started = [processes.Process(target=publisher.publish_some, args=(folder, f"p{i}", 9)) for i in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0]
    kept = {f"p{i}-{number}" for i in range(3) for number in range(9) if number % 3}
    assert published(folder) == {document: passage_texts(document, 2) for document in kept}


def test_a_deletion_by_another_process_takes_effect_at_once_in_an_open_index(processes, tmp_path: Path):
    index = CollectionIndex.create(tmp_path / "collection")
    publish(index, "alpha")
    publish(index, "beta")
    wanted = passage_texts("alpha", 1)[0]
    found = index.dense(vector_of(wanted), 1)
    run(processes, publisher.delete_one, index.folder, "alpha")
    assert index.passages([found[0][0]]) == {}
    assert found[0][0] not in [i for i, _ in index.dense(vector_of(wanted), 100)]
    assert index.bm25("alpha", 5) == []


def test_what_another_process_publishes_is_found_by_an_open_index(processes, tmp_path: Path):
    index = CollectionIndex.create(tmp_path / "collection")
    publish(index, "alpha")
    index.dense(vector_of("x"), 1)
    run(processes, publisher.publish_some, index.folder, "other", 3)
    text = passage_texts("other-1", 2)[0]
    ((found, score),) = index.dense(vector_of(text), 1)
    assert index.passages([found])[found].text == text
    assert score == pytest.approx(1, abs=1e-5)


def test_a_collection_removed_by_another_process_is_gone_at_once(processes, tmp_path: Path):
    index = CollectionIndex.create(tmp_path / "collection")
    publish(index, "alpha")
    index.dense(vector_of("x"), 1)
    run(processes, publisher.remove_all, index.folder)
    for use in (lambda: index.dense(vector_of("x"), 1), lambda: index.bm25("alpha", 1), lambda: publish(index, "b")):
        with pytest.raises(CollectionGone):
            use()
