"""Adding, recognising, deleting and retrying documents: rows and files agree with each other."""

from __future__ import annotations

import threading

import pytest

from webapp.errors import BadInput, Conflict, TooLarge
from webapp.knowledge import services, storage, texts
from webapp.knowledge.models import Document, DocumentStatus

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_added_file_waits_to_be_read_and_is_kept_as_it_came(collection, add):
    document = add(collection, "Grüße\r\n".encode("latin-1"))
    assert document.status == DocumentStatus.QUEUED
    assert storage.original(document.pk).read_bytes() == b"Gr\xfc\xdfe\r\n"


def test_the_same_content_is_recognised_under_another_name(collection, add, alice):
    first = add(collection, "same words")
    again, duplicate = services.add_document(collection, "other.md", [b"same ", b"words"], alice)
    assert duplicate and again.pk == first.pk and Document.objects.count() == 1


def test_the_same_content_may_be_in_two_collections(collection, add, alice):
    other = services.create_collection(alice, "Other")
    assert add(collection, "words").pk != add(other, "words").pk


def test_one_file_uploaded_twice_at_the_same_moment_becomes_one_document(collection, alice):
    barrier = threading.Barrier(2)
    results = []

    def chunks():
        yield b"the very same bytes"
        barrier.wait(20)  # both uploads have been received, neither is registered

    def upload():
        from django.db import connection

        results.append(services.add_document(collection, "a.txt", chunks(), alice))
        connection.close()

    threads = [threading.Thread(target=upload) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert sorted(duplicate for _document, duplicate in results) == [False, True]
    assert len({document.pk for document, _duplicate in results}) == 1
    folders = list((storage.documents().folder("x").parent.parent).glob("*/*"))
    assert [folder.name for folder in folders] == [str(Document.objects.get().pk)]


@pytest.mark.parametrize(
    ("name", "content", "error", "sentence"),
    [
        ("empty.txt", b"", BadInput, "empty.txt is empty"),
        ("setup.exe", b"MZ", BadInput, "setup.exe is of a type that cannot be read here. Supported types: .pdf, "),
        ("noending", b"words", BadInput, "noending is of a type"),
        ("big.txt", b"x" * 1001, TooLarge, "big.txt is larger than"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence_and_leaves_nothing(
    collection, alice, settings, name, content, error, sentence
):
    settings.MAX_UPLOAD_BYTES = 1000
    with pytest.raises(error, match=sentence):
        services.add_document(collection, name, [content], alice)
    assert not Document.objects.exists()
    assert [path for path in settings.DATA_DIR.rglob("*") if path.is_file() and "redis" not in str(path)
            and path.suffix != ".sqlite3"] == []


def test_a_file_name_loses_its_folders_and_control_characters_and_keeps_its_ending(collection, alice):
    document, _ = services.add_document(collection, "..\\..\\etc/pass\x00wd\n.txt", [b"words"], alice)
    assert document.name == "passwd.txt"
    long, _ = services.add_document(collection, "n" * 300 + ".txt", [b"more words"], alice)
    assert len(long.name) == 255 and long.name.endswith(".txt")


def test_adding_to_a_collection_that_has_just_been_deleted_says_so_and_leaves_no_file(collection, alice):
    def chunks():
        yield b"words"
        services.delete_collection(type(collection).objects.get(pk=collection.pk))

    with pytest.raises(BadInput, match="just been deleted"):
        services.add_document(collection, "a.txt", chunks(), alice)
    assert not list(storage.documents().folder("x").parent.parent.glob("*/*"))


def test_only_a_failed_document_can_be_tried_again(collection, add):
    document = add(collection)
    with pytest.raises(Conflict, match="nothing to try again"):
        services.retry(document)
    Document.objects.filter(pk=document.pk).update(status=DocumentStatus.FAILED, error="no")
    assert services.retry(document).status == DocumentStatus.QUEUED


def test_a_document_without_text_yet_says_so_and_a_range_is_cut_to_the_text(collection, add):
    document = add(collection)
    with pytest.raises(Conflict, match="no text yet"):
        texts.piece(document)
    storage.documents().put_text(str(document.pk), "0123456789")
    assert texts.piece(document, 8, 50) == texts.Piece(8, 10, "89")
    with pytest.raises(BadInput, match="before start"):
        texts.piece(document, 5, 3)
