"""An index knows the encoder of its vectors: another one neither searches it nor adds to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from qa import index_database, index_encoder
from qa.index import CollectionIndex, IndexedDocument
from qa.index_encoder import Encoder, EncoderMismatch
from qa.passages import Passage
from qa.retrieve import search

OLD, NEW = "small@v1", "small@v2"


@pytest.fixture
def index(tmp_path: Path) -> CollectionIndex:
    made = CollectionIndex.create(tmp_path / "collection")
    add(made, "alpha", OLD)
    return made


def add(index: CollectionIndex, document: str, encoder: str, dimension: int = 8) -> None:
    vector = np.eye(1, dimension, len(document) % dimension, dtype=np.float32)
    index.publish(IndexedDocument(document, "", "text/plain"), document, [Passage(0, len(document))], vector, encoder)


def query(dimension: int = 8) -> np.ndarray:
    return np.eye(1, dimension, dtype=np.float32)[0]


def recorded(index: CollectionIndex) -> Encoder:
    with index_database.connect(index.folder) as connection:
        return index_encoder.recorded(connection)


def test_the_encoder_that_made_the_vectors_is_recorded_and_may_search_and_add(index: CollectionIndex):
    assert recorded(index) == Encoder(OLD, 8)
    add(index, "beta", OLD)
    assert len(index.dense(query(), 9, OLD)) == 2


@pytest.mark.parametrize(("encoder", "dimension"), [(NEW, 8), (OLD, 16), ("", 16)])
def test_another_encoder_is_refused_with_the_mend_and_changes_nothing(
    index: CollectionIndex, encoder: str, dimension: int
):
    with pytest.raises(EncoderMismatch, match="index mend"):
        index.dense(query(dimension), 9, encoder)
    [found] = search("alpha", query(dimension), [("c", index)], 3, encoder)
    assert found.dense is None, "searched by its words alone"
    with pytest.raises(EncoderMismatch, match="models rollback"):
        add(index, "beta", encoder, dimension)
    assert recorded(index) == Encoder(OLD, 8)
    assert (index.document_ids(), len(index.dense(query(), 9, OLD))) == ({"alpha"}, 1)


def test_a_search_by_words_alone_needs_no_encoder(index: CollectionIndex):
    assert len(search("alpha", None, [("c", index)], 3)) == 1


@pytest.mark.parametrize("deleted", [True, False], ids=["after all was deleted", "replacing the only document"])
def test_an_index_without_other_documents_takes_a_new_encoder(index: CollectionIndex, deleted: bool):
    if deleted:
        index.delete("alpha")
    add(index, "beta" if deleted else "alpha", NEW, 16)
    assert recorded(index) == Encoder(NEW, 16)
    assert len(index.dense(query(16), 9, NEW)) == 1


def test_a_cleared_index_takes_any_encoder_and_whoever_holds_it_finds_only_what_is_new(index: CollectionIndex):
    held = CollectionIndex(index.folder)
    (old,) = [passage for passage, _ in held.dense(query(), 9, OLD)]
    index.clear()
    assert (held.dense(query(), 9, OLD), held.bm25("alpha", 9), held.document_ids()) == ([], [], set())
    assert not list((index.folder / "segments").glob("*.faiss"))
    add(index, "alpha", NEW, 16)
    ((fresh, _),) = held.dense(query(16), 9, NEW)
    assert fresh > old, "a passage's number is never used again"


def test_an_index_made_before_encoders_were_recorded_is_one_of_the_starter_encoder(tmp_path: Path):
    for name, published in (("used", True), ("empty", False)):
        index = CollectionIndex.create(tmp_path / name)
        if published:
            add(index, "alpha", "")
        with sqlite3.connect(tmp_path / name / "index.sqlite") as connection:
            connection.executescript("ALTER TABLE state DROP COLUMN encoder; ALTER TABLE state DROP COLUMN dimension;"
                                     "ALTER TABLE segments DROP COLUMN factor;"
                                     "PRAGMA user_version = 0")
    used, empty = CollectionIndex(tmp_path / "used"), CollectionIndex.create(tmp_path / "empty")
    assert recorded(used).name == "all-MiniLM-L6-v2@starter"
    assert len(used.dense(query(), 9, "all-MiniLM-L6-v2@starter")) == 1
    with pytest.raises(EncoderMismatch):
        used.dense(query(), 9, NEW)
    add(empty, "alpha", NEW)
    assert recorded(empty) == Encoder(NEW, 8)
