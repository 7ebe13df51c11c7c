from __future__ import annotations

import os
from pathlib import Path

import pytest

from qa.document_store import CACHED_TEXTS, DocumentMissing, DocumentStore

TEXT = "线 one\nline two\twith “marks” and 𠀀\n"


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    return DocumentStore(tmp_path / "documents")


def test_a_stored_document_comes_back_as_it_was(store: DocumentStore):
    store.put("d1", b"\xff bytes", "report.MD", TEXT)
    assert store.text("d1") == TEXT
    assert store.slice("d1", 2, 5) == "one"
    assert store.original("d1").read_bytes() == b"\xff bytes"
    assert store.original("d1").suffix == ".md"


def test_storing_again_replaces_text_and_original(store: DocumentStore):
    store.put("d1", b"old", "a.txt", "old text")
    assert store.text("d1") == "old text"
    store.put("d1", b"new", "a.html", "new text")
    assert store.text("d1") == "new text"
    assert store.original("d1").read_bytes() == b"new"


def test_a_replaced_text_of_the_same_length_and_time_is_read_anew(store: DocumentStore):
    store.put("d1", b"", "a.txt", "aaaa")
    assert store.text("d1") == "aaaa"
    before = (store.folder("d1") / "text.txt").stat()
    store.put_text("d1", "bbbb")
    os.utime(store.folder("d1") / "text.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.text("d1") == "bbbb"


def test_many_documents_keep_their_texts_apart(store: DocumentStore):
    for i in range(3 * CACHED_TEXTS):
        store.put(f"d{i}", b"", "a.txt", f"text {i}")
    for i in [*range(3 * CACHED_TEXTS), 0, 1, 3 * CACHED_TEXTS - 1]:
        assert store.text(f"d{i}") == f"text {i}"


def test_a_deleted_document_is_missing_even_when_it_was_read_before(store: DocumentStore):
    store.put("d1", b"x", "a.txt", "text")
    store.text("d1")
    store.delete("d1")
    store.delete("d1")
    for use in (lambda: store.text("d1"), lambda: store.slice("d1", 0, 1), lambda: store.original("d1")):
        with pytest.raises(DocumentMissing, match="d1"):
            use()
    assert list(store.folder("d1").parent.iterdir()) == []


def test_a_text_cannot_be_added_to_a_deleted_document(store: DocumentStore):
    store.put("d1", b"x", "a.txt", "text")
    store.delete("d1")
    with pytest.raises(DocumentMissing):
        store.put_text("d1", "late")
    assert not store.folder("d1").exists()


@pytest.mark.parametrize("identifier", [
    "", ".", "..", "../x", "a/b", "/etc", "a\\b", ".hidden", "-a", "a\n", "a\x00", "a b", "é", "x" * 101,
])
def test_an_id_that_could_be_a_path_is_refused(store: DocumentStore, identifier: str):
    for use in (lambda: store.put(identifier, b"", "a", "t"), lambda: store.text(identifier),
                lambda: store.delete(identifier), lambda: store.original(identifier)):
        with pytest.raises(ValueError, match="not a document id"):
            use()


@pytest.mark.parametrize("name", ["../../evil.txt", "a.t/x", "a.longerthantenending", "", ".", "a.\x00"])
def test_a_strange_file_name_stays_in_the_documents_folder(store: DocumentStore, name: str):
    store.put("d1", b"data", name, "text")
    assert store.original("d1").parent == store.folder("d1")
    assert store.original("d1").read_bytes() == b"data"


def test_a_write_that_fails_leaves_the_old_document(store: DocumentStore, monkeypatch: pytest.MonkeyPatch):
    store.put("d1", b"old", "a.txt", "old text")

    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qa.document_store.os.fsync", disk_full)
    for write in (lambda: store.put("d1", b"new", "a.txt", "new text"), lambda: store.put_text("d1", "new text")):
        with pytest.raises(OSError, match="No space left"):
            write()
    assert store.text("d1") == "old text"
    assert store.original("d1").read_bytes() == b"old"
    assert [path.name for path in store.folder("d1").parent.iterdir()] == ["d1"]
