"""Collections and documents over REST: what a program sends and gets back."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import AsyncIterator

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from webapp.knowledge import services
from webapp.knowledge.models import Collection, Document, DocumentStatus

pytestmark = pytest.mark.django_db(transaction=True)
COLLECTIONS, DOCUMENTS = "/api/v1/collections/", "/api/v1/documents/"


def upload(client, collection, content: bytes = b"A granite reef.", name: str = "reef.txt"):
    file = SimpleUploadedFile(name, content)
    return client.post(DOCUMENTS, {"collection": str(collection.pk), "file": file}, format="multipart")


def test_a_collection_is_made_changed_listed_and_deleted(alice, browser_of, redis_url):
    client = browser_of(alice)
    made = client.post(COLLECTIONS, {"name": "Lighthouses", "description": "All of them"})
    assert made.status_code == 201 and made.data["documents"] == 0 and made.data["editable"] is True
    address = f"{COLLECTIONS}{made.data['id']}/"
    assert client.patch(address, {"name": "Towers"}).data["name"] == "Towers"
    assert [row["name"] for row in client.get(COLLECTIONS).data["results"]] == ["Towers"]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_a_second_collection_of_one_name_is_refused_with_a_sentence(alice, browser_of, collection):
    answer = browser_of(alice).post(COLLECTIONS, {"name": "Lighthouses"})
    assert answer.status_code == 400 and "already have a collection of this name" in answer.json()["detail"]


def test_an_uploaded_file_is_accepted_then_read_then_shown(alice, browser_of, collection, read_in):
    client = browser_of(alice)
    answer = upload(client, collection)
    assert answer.status_code == 202 and answer.data["status"] == "queued" and answer.data["duplicate"] is False
    read_in(Document.objects.get(pk=answer.data["id"]))
    shown = client.get(f"{DOCUMENTS}{answer.data['id']}/").data
    assert (shown["status"], shown["passages_done"], shown["characters"]) == ("ready", 1, 15)
    text = client.get(f"{DOCUMENTS}{answer.data['id']}/text/", {"start": 2, "end": 9}).data
    assert text == {"id": answer.data["id"], "start": 2, "end": 9, "text": "granite"}
    assert client.get(f"{COLLECTIONS}{collection.pk}/").data["passages"] == 1


def test_the_same_file_again_is_answered_with_the_document_that_is_there(alice, browser_of, collection):
    client = browser_of(alice)
    first, second = upload(client, collection), upload(client, collection, name="copy.txt")
    assert second.status_code == 200 and second.data["duplicate"] is True and second.data["id"] == first.data["id"]


def test_the_files_of_a_zip_become_documents_and_what_does_not_says_why(alice, bob, browser_of, collection):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in ("manual/one.txt", "two.md", "film.mp4", "empty.txt"):
            target.writestr(name, b"" if name == "empty.txt" else f"About {name}.")
    content = packed.getvalue()

    def send(user, data: bytes):
        body = {"collection": str(collection.pk), "file": SimpleUploadedFile("all.zip", data)}
        return browser_of(user).post("/api/v1/documents/archive/", body, format="multipart")

    reply = send(alice, content)
    assert reply.status_code == 202
    body = reply.json()
    assert [(one["path"], one["document"]["name"], one["duplicate"]) for one in body["added"]] == [
        ("manual/one.txt", "one.txt", False), ("two.md", "two.md", False)]
    assert [one["path"] for one in body["refused"]] == ["film.mp4", "empty.txt"]
    assert "type that cannot be read" in body["refused"][0]["reason"] and "is empty" in body["refused"][1]["reason"]
    assert all(one["duplicate"] for one in send(alice, content).json()["added"])
    assert "no ZIP archive" in send(alice, content[:50]).json()["detail"]
    assert send(bob, content).status_code == 404 and collection.documents.count() == 2


def test_a_deleted_document_is_gone(alice, browser_of, collection):
    client = browser_of(alice)
    address = f"{DOCUMENTS}{upload(client, collection).data['id']}/"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404 and not Document.objects.exists()


def test_a_failed_document_is_tried_again_and_one_that_has_not_failed_is_not(alice, browser_of, collection):
    client = browser_of(alice)
    pk = upload(client, collection).data["id"]
    assert client.post(f"{DOCUMENTS}{pk}/retry/").status_code == 409
    Document.objects.filter(pk=pk).update(status=DocumentStatus.FAILED)
    again = client.post(f"{DOCUMENTS}{pk}/retry/")
    assert again.status_code == 202 and again.data["status"] == "queued"


def test_what_is_someone_elses_does_not_exist(alice, bob, browser_of, collection):
    document = upload(browser_of(alice), collection).data["id"]
    client = browser_of(bob)
    for address in (f"{COLLECTIONS}{collection.pk}/", f"{DOCUMENTS}{document}/", f"{DOCUMENTS}{document}/text/",
                    f"{DOCUMENTS}?collection={collection.pk}"):
        assert client.get(address).status_code == 404, address
    assert client.delete(f"{COLLECTIONS}{collection.pk}/").status_code == 404
    assert client.patch(f"{COLLECTIONS}{collection.pk}/", {"name": "Mine"}).status_code == 404
    assert client.delete(f"{DOCUMENTS}{document}/").status_code == 404
    assert client.post(f"{DOCUMENTS}{document}/retry/").status_code == 404
    assert upload(client, collection).status_code == 404
    assert client.get(DOCUMENTS).data["count"] == client.get(COLLECTIONS).data["count"] == 0
    assert Collection.objects.filter(pk=collection.pk).exists()


def test_what_everyone_sees_only_its_owner_changes(alice, bob, browser_of, collection):
    services.change_collection(collection, visibility="everyone")
    client = browser_of(bob)
    assert client.get(f"{COLLECTIONS}{collection.pk}/").data["editable"] is False
    assert client.delete(f"{COLLECTIONS}{collection.pk}/").status_code == 404
    assert upload(client, collection).status_code == 404


def test_a_stranger_without_a_session_reads_shared_collections_only_and_adds_nothing(collection, browser_of, alice):
    from rest_framework.test import APIClient

    stranger = APIClient()
    assert stranger.get(f"{COLLECTIONS}{collection.pk}/").status_code == 404
    assert stranger.post(COLLECTIONS, {"name": "Mine"}).status_code == 401
    assert upload(stranger, collection).status_code == 401


@pytest.mark.parametrize("identifier", ["1", "x" * 36, str(uuid.UUID(int=7)), "..%2f..%2fetc", "0" * 36])
def test_an_id_that_names_nothing_is_not_found(alice, browser_of, identifier):
    client = browser_of(alice)
    for address in (f"{COLLECTIONS}{identifier}/", f"{DOCUMENTS}{identifier}/"):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("query", "field"), [("collection=nonsense", "collection"), ("collection=%00", "collection")]
)
def test_a_filter_that_is_no_id_is_refused_with_its_name(alice, browser_of, query, field):
    answer = browser_of(alice).get(f"{DOCUMENTS}?{query}")
    assert answer.status_code == 400 and field in answer.json()["errors"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [("empty.txt", b"", "empty.txt is empty"), ("tool.exe", b"MZ", "Supported types: .pdf, .docx")],
)
def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence(
    alice, browser_of, collection, name, content, sentence
):
    answer = upload(browser_of(alice), collection, content, name)
    assert answer.status_code == 400 and sentence in answer.json()["detail"]


def test_an_upload_without_its_parts_names_them(alice, browser_of):
    answer = browser_of(alice).post(DOCUMENTS, {}, format="multipart")
    assert answer.status_code == 400 and set(answer.json()["errors"]) == {"collection", "file"}


@pytest.mark.parametrize("announced", [True, False])
async def test_sixty_megabytes_are_refused_with_a_sentence_whether_their_size_is_announced_or_not(announced):
    from webapp.asgi import application

    head = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.txt"\r\n\r\n')
    size, sent = 60_000_000, 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield head
        while sent < size:
            sent += 1_000_000
            yield b"x" * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    if announced:
        headers["Content-Length"] = str(size + len(head))
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post(DOCUMENTS, content=body(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("This is larger than 50 MB, the most that may be sent at once.")
    assert sent < size
