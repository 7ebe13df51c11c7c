"""One's own data: put together as a ZIP, deleted with the account, and gone by itself where the settings say so."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.conftest import PASSWORD
from webapp.accounts.models import User
from webapp.chat.models import Conversation, Message
from webapp.knowledge.models import Collection, Document
from webapp.privacy import erasing, exporting, retention
from webapp.privacy.models import DataExport, ExportStatus
from webapp.writing.models import GlossaryTerm, SummarizedText, TranslationBatch

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(alice) -> Conversation:
    made = Conversation.objects.create(owner=alice, title="Sandstone")
    Message.objects.create(conversation=made, role="question", key="k-1", text="What is it built of?")
    return made


def test_the_zip_holds_everything_of_the_person_and_nothing_of_others(
    alice, bob, document, conversation, alices_browser, bobs_browser
):
    from webapp.knowledge import storage

    storage.original(document.pk).write_bytes(b"as it came")
    GlossaryTerm.objects.create(owner=alice, source_language="en", target_language="de", source="tea", target="Tee")
    Conversation.objects.create(owner=bob, title="Bob's")
    assert alices_browser.post("/account/export/").status_code == 302
    assert alices_browser.get("/account/export/wenda.zip").status_code == 404, "it is not ready yet"
    exporting.make(DataExport.objects.get().pk)
    response = alices_browser.get("/account/export/wenda.zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response)))
    names = archive.namelist()
    assert json.loads(archive.read("account.json"))["username"] == "alice"
    assert "What is it built of?" in archive.read(f"conversations/{conversation.pk}.json").decode()
    assert json.loads(archive.read("glossary.json"))[0]["target"] == "Tee"
    original = next(name for name in names if name.endswith("library.txt"))
    assert archive.read(original) == b"as it came"
    assert len([name for name in names if name.startswith("conversations/")]) == 1
    assert "password" not in archive.read("account.json").decode()
    assert bobs_browser.get("/account/export/wenda.zip").status_code == 404
    assert "Download" in alices_browser.get("/account/").content.decode()


def test_an_export_that_got_stuck_is_asked_for_again_and_an_old_one_goes(alice):
    export = exporting.ask_for(alice)
    DataExport.objects.update(status=ExportStatus.RUNNING, changed_at=timezone.now() - exporting.STUCK_AFTER * 2)
    exporting.sweep()
    export.refresh_from_db()
    assert export.status == ExportStatus.QUEUED
    exporting.make(export.pk)
    assert exporting.file_of(alice.pk).exists()
    DataExport.objects.update(changed_at=timezone.now() - exporting.KEPT * 2)
    exporting.sweep()
    assert not exporting.file_of(alice.pk).exists() and not DataExport.objects.exists()


def test_an_export_that_fails_says_so_and_leaves_no_half_file(alice, monkeypatch):
    export = exporting.ask_for(alice)
    monkeypatch.setattr(exporting, "_fill", lambda *_: 1 / 0)
    exporting.make(export.pk)
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert list(exporting.file_of(alice.pk).parent.iterdir()) == []


def test_asking_again_while_one_is_being_written_leaves_one_whole_zip(alice, monkeypatch):
    export, fill = exporting.ask_for(alice), exporting._fill

    def asked_again_half_way(archive: zipfile.ZipFile, user: User) -> None:
        monkeypatch.setattr(exporting, "_fill", fill)
        exporting.make(exporting.ask_for(user).pk)
        fill(archive, user)

    monkeypatch.setattr(exporting, "_fill", asked_again_half_way)
    exporting.make(export.pk)
    (left,) = exporting.file_of(alice.pk).parent.iterdir()
    assert DataExport.objects.get().status == ExportStatus.DONE
    assert left == exporting.file_of(alice.pk) and zipfile.ZipFile(left).testzip() is None


def test_an_export_that_is_being_written_while_the_account_goes_is_not_left_over(alice, monkeypatch):
    export, place, identifier = exporting.ask_for(alice), exporting.file_of, alice.pk

    def erased_by_now(user_id: int) -> Path:
        monkeypatch.setattr(exporting, "file_of", place)
        erasing.erase(User.objects.get(pk=user_id))
        return place(user_id)

    monkeypatch.setattr(exporting, "file_of", erased_by_now)
    exporting.make(export.pk)
    assert not User.objects.filter(pk=identifier).exists()
    assert not place(identifier).parent.exists()


def test_deleting_the_account_needs_the_password_and_leaves_nothing(alices_browser, alice, document, conversation):
    exporting.make(exporting.ask_for(alice).pk)
    assert alices_browser.post("/account/delete/", {"current": "wrong"}).status_code == 400
    assert User.objects.filter(pk=alice.pk).exists()
    assert alices_browser.post("/account/delete/", {"current": PASSWORD}).url == "/sign-in/"
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Conversation.objects.exists() and not Collection.objects.exists() and not Document.objects.exists()
    assert not exporting.file_of(alice.pk).exists()
    assert alices_browser.get("/account/").status_code == 302


def test_by_default_nothing_goes_by_itself(conversation, document):
    long_ago = timezone.now() - timedelta(days=4000)
    Conversation.objects.update(updated_at=long_ago)
    Document.objects.update(created_at=long_ago)
    retention.tidy()
    assert Conversation.objects.exists() and Document.objects.exists()


def test_what_is_older_than_the_settings_say_goes_and_the_site_s_own_documents_stay(
    settings, alice, conversation, document
):
    settings.KEEP_CONVERSATION_DAYS, settings.KEEP_UPLOAD_DAYS = 30, 60
    site = Document.objects.create(collection=Collection.objects.create(name="Help"), name="h.md", size=1, sha256="1")
    SummarizedText.objects.create(owner=alice, title="Old")
    TranslationBatch.objects.create(owner=alice, source="en", target="de")
    recent = Conversation.objects.create(owner=alice, title="Recent")
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=timezone.now() - timedelta(days=31))
    for model in (Document, SummarizedText, TranslationBatch):
        model.objects.update(created_at=timezone.now() - timedelta(days=61))
    retention.tidy()
    assert list(Conversation.objects.all()) == [recent]
    assert list(Document.objects.all()) == [site]
    assert not SummarizedText.objects.exists() and not TranslationBatch.objects.exists()


def test_the_account_page_says_how_long_things_are_kept(settings, alices_browser):
    assert "kept until you delete them" in alices_browser.get("/account/").content.decode()
    settings.KEEP_CONVERSATION_DAYS = 30
    assert "after 30 days without a question" in alices_browser.get("/account/").content.decode()
