"""Stored files are encrypted where there is a key; keys are changed while the site runs; a missing one is named."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from models_service.client import Encoded
from models_service.sealed import files
from qa.writing import files as translated_files
from tests.models_service.sealed.conftest import fresh_key
from tests.training.test_dashboard_services import squad
from webapp.audit.models import Action, Entry
from webapp.errors import Conflict
from webapp.ops import encryption, passing_uploads, rotating

pytestmark = pytest.mark.django_db(transaction=True)

MARKER = "Quillfeather"
STORY = f"{MARKER} kept the ledger of the mill. The mill stood by the river until the flood of 1911.\n"


class AnyVectors:
    """In place of the model service: what is stored where does not hang on what the vectors are."""

    async def encode(self, texts, **_options) -> Encoded:
        return Encoded(np.eye(len(texts), 8, dtype=np.float32), "any@v1")


def read_in(document) -> None:
    from webapp.knowledge import ingestion

    with asyncio.Runner() as runner:
        ingestion.ingest(document.pk, AnyVectors(), runner)
    document.refresh_from_db()


def holding_the_marker(data_dir: Path) -> set[str]:
    """First folders of the files in whose bytes the marker stands."""
    return {path.relative_to(data_dir).parts[0] for path in data_dir.rglob("*")
            if path.is_file() and MARKER.encode() in path.read_bytes()}


@pytest.fixture
def collection(alice, redis_url):
    from webapp.knowledge import services

    return services.create_collection(alice, "Mills")


@pytest.fixture
def document(collection, alice):
    from webapp.knowledge import services

    return services.add_document(collection, "mill.txt", [STORY.encode()], alice)[0]


@pytest.fixture
def everything(alice, admin, document, program) -> None:
    """Something of each kind that is handed in, and what is made of it."""
    from webapp.knowledge import storage
    from webapp.privacy import exporting
    from webapp.training import datasets
    from webapp.writing import summaries, translation_batches
    from webapp.writing.translation_work import KeptSentences

    storage.documents().put_text(str(document.pk), STORY)
    rows = squad().replace(b'"keepers"', f'"{MARKER}"'.encode())
    datasets.create_with_file("Keepers", "qa", admin, "keepers.json", [rows])
    summaries.add_file(alice, "mill.txt", [(STORY * 20).encode()])
    uploads = [SimpleUploadedFile("mill.txt", STORY.encode())]
    answer = program(alice).post("/api/v1/translation-batches/", {"files": uploads, "source": "en", "target": "de"})
    place = translation_batches.folder(UUID(answer.json()["files"][0]["id"]))
    translated_files.write(place / "original", "mill.txt", STORY.upper(), place / "made")
    kept = KeptSentences(place / "sentences")
    kept.keep((STORY,), [])
    kept.close()
    exporting.make(exporting.ask_for(alice).pk)


def test_what_was_stored_in_plain_is_encrypted_by_the_first_rotation(everything, data_dir, use_keys):
    assert holding_the_marker(data_dir) == {"documents", "summaries", "training", "translations"}
    use_keys(fresh_key())
    rotating.rotate()
    assert not holding_the_marker(data_dir)


def test_with_a_key_uploads_are_encrypted_from_the_start_and_read_as_before(
    use_keys, data_dir, collection, browser, alice
):
    from webapp.knowledge import storage
    from webapp.knowledge.models import Document, DocumentStatus

    use_keys(fresh_key())
    large = STORY * 15_000  # more than is held in memory while it arrives
    owner = browser(alice)
    for name, content in (("mill.txt", STORY), ("large.txt", large)):
        answer = owner.post("/api/v1/documents/", {
            "collection": str(collection.pk), "file": SimpleUploadedFile(name, content.encode())})
        assert answer.status_code == 202, answer.content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.txt", STORY + "Once more.")
    answer = owner.post("/api/v1/documents/archive/", {
        "collection": str(collection.pk), "file": SimpleUploadedFile("a.zip", packed.getvalue())})
    assert answer.status_code == 202, answer.content
    assert not holding_the_marker(data_dir)
    document = Document.objects.get(name="mill.txt")
    read_in(document)
    assert document.status == DocumentStatus.READY, document.error
    assert holding_the_marker(data_dir) == {"indexes"}, "as the help says"
    fetched = owner.get(f"/documents/{document.pk}/file/")
    assert b"".join(fetched.streaming_content) == STORY.encode() and int(fetched["Content-Length"]) == len(STORY)
    assert MARKER in owner.get(f"/documents/{document.pk}/").content.decode()
    assert MARKER in storage.documents().text(str(document.pk))


def test_an_interrupted_rotation_is_taken_up_where_it_was_and_the_old_key_may_go(
    everything, data_dir, use_keys, capsys, alice
):
    old, new = fresh_key(), fresh_key()
    use_keys(old)
    whole = rotating.rotate()
    assert whole.encrypted > 9 and not whole.encrypted_anew and not whole.failed
    use_keys(new, old)
    encryption.note_first_key()

    def stop_at_third(done: int, of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    begun = rotating.rotate(stop_at_third)
    assert begun.stopped and begun.encrypted_anew == 3
    assert len(encryption.noted()) == 2, "both are needed still"
    call_command("rotate_key", "--json")
    done = json.loads(capsys.readouterr().out)
    assert (done["had_it"], done["encrypted_anew"], done["failed"]) == (3 + whole.had_it, whole.encrypted - 3, [])
    use_keys(new)
    assert encryption.state() == "ok" and not list(data_dir.rglob("*.sealing"))
    assert all(files.key_of(path) == encryption.noted()[0] for path, is_lines in rotating._stored()
               if not is_lines and path.stat().st_size)
    stopped = [entry.details["stopped"] for entry in Entry.objects.filter(action=Action.FILES_ENCRYPTED)]
    assert sorted(stopped) == [False, False, True]


def test_a_file_that_is_replaced_meanwhile_keeps_its_new_content(document, use_keys, monkeypatch):
    from webapp.knowledge import storage

    path = storage.original(document.pk)
    use_keys(fresh_key())
    real = rotating.shutil.copyfileobj

    def copy_and_replace(*args):
        real(*args)
        other = path.with_name("other")
        other.write_bytes(b"newer")
        other.replace(path)

    monkeypatch.setattr(rotating.shutil, "copyfileobj", copy_and_replace)
    rotating.rotate()
    assert files.read_bytes(path) == b"newer"


def test_times_stay_and_two_rotations_never_run_at_once(document, use_keys):
    from webapp.knowledge import storage

    before = storage.documents().added(str(document.pk))
    with pytest.raises(Conflict, match="WENDA_ENCRYPTION_KEY is empty"):
        rotating.rotate()
    use_keys(fresh_key())
    with rotating._only_one(), pytest.raises(Conflict, match="Another rotation"):
        rotating.rotate()
    rotating.rotate()
    assert storage.documents().added(str(document.pk)) == before


def test_a_lost_key_is_named_in_readyz_on_pages_in_documents_and_by_the_rotation(
    document, use_keys, browser, alice, client, capsys
):
    lost = fresh_key()
    use_keys(lost)
    rotating.rotate()
    [identifier] = encryption.noted()
    use_keys(fresh_key())
    parts = client.get("/readyz").json()["parts"]
    assert f"encrypted with the key {identifier}" in parts["encryption"]
    page = browser(alice).get(f"/documents/{document.pk}/file/")
    assert page.status_code == 503 and identifier in page.content.decode()
    read_in(document)
    assert identifier in document.error
    done = rotating.rotate()
    assert done.failed and identifier in done.failed[0] and identifier in encryption.noted()
    with pytest.raises(SystemExit):
        call_command("rotate_key")
    assert "cannot be opened" in capsys.readouterr().out


async def test_a_large_body_waits_encrypted_and_one_that_breaks_off_is_dropped(data_dir, settings, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = str(data_dir)
    made = []
    real = passing_uploads.PassingFile
    monkeypatch.setattr(passing_uploads, "PassingFile", lambda *args: made.append(real(*args)) or made[-1])
    messages = [{"type": "http.request", "body": STORY.encode() * 9000, "more_body": True} for _ in range(2)]

    async def receive():
        return messages.pop(0)

    messages.append({"type": "http.request", "body": b"end"})
    with await passing_uploads.BodyHandler().read_body(receive) as body:
        made[0]._disk.seek(0)
        assert MARKER.encode() not in made[0]._disk.read()
        body.seek(0)
        assert body.read() == STORY.encode() * 18_000 + b"end"
    messages.append({"type": "http.disconnect"})
    with pytest.raises(passing_uploads.RequestAborted):
        await passing_uploads.BodyHandler().read_body(receive)
