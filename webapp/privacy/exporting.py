"""Everything of one person as a ZIP: JSON files, and the documents as they were uploaded.

A job writes it (`tasks.py`), for it may be large. What a killed worker left unfinished is begun anew by the sweep.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from models_service.sealed import files
from qa.document_store import DocumentMissing
from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.chat import export as conversations
from webapp.knowledge import storage
from webapp.privacy.models import DataExport, ExportStatus
from webapp.writing import summary_texts, translation_batches
from webapp.writing.models import SummarizedText

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
STUCK_AFTER = timedelta(minutes=15)
"""A worker that has not finished by then has died, or the queue has lost the message."""


def file_of(user_id: int) -> Path:
    return settings.DATA_DIR / "exports" / str(user_id) / "wenda-export.zip"


@transaction.atomic
def ask_for(user: User) -> DataExport:
    """Queue a new export, in place of the one before."""
    export, _made = DataExport.objects.update_or_create(user=user, defaults={
        "status": ExportStatus.QUEUED, "size": 0, "asked_at": timezone.now(),
    })
    record(Action.DATA_EXPORTED, user.username)
    _queue(export)
    return export


def make(export_id: int) -> None:
    """Write the ZIP. Harmless when it is done, gone, or another task's."""
    mine = DataExport.objects.filter(pk=export_id, status=ExportStatus.QUEUED)
    if not mine.update(status=ExportStatus.RUNNING, changed_at=timezone.now()):
        return
    export = DataExport.objects.select_related("user").get(pk=export_id)
    target = file_of(export.user_id)
    # Its own: whoever asks again while one is being written has two of them at work for a while.
    part = target.with_suffix(f".{uuid.uuid4().hex}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with files.open_write(part) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            _fill(archive, export.user)
        with files.open_read(part) as written:
            size = written.seek(0, os.SEEK_END)
        part.replace(target)
    except Exception:
        log.exception("the export of user %s failed", export.user_id)
        part.unlink(missing_ok=True)
        DataExport.objects.filter(pk=export_id).update(status=ExportStatus.FAILED, changed_at=timezone.now())
        return
    kept = DataExport.objects.filter(pk=export_id).update(
        status=ExportStatus.DONE, size=size, changed_at=timezone.now())
    if not kept:  # the account went meanwhile
        forget(export.user_id)


def sweep() -> None:
    """Begin those anew that got stuck, and remove those that have been kept long enough."""
    stuck = DataExport.objects.filter(changed_at__lt=timezone.now() - STUCK_AFTER,
                                      status__in=(ExportStatus.QUEUED, ExportStatus.RUNNING))
    for export in stuck:
        DataExport.objects.filter(pk=export.pk).update(status=ExportStatus.QUEUED, changed_at=timezone.now())
        _queue(export)
    for export in DataExport.objects.filter(changed_at__lt=timezone.now() - KEPT):
        forget(export.user_id)


def forget(user_id: int) -> None:
    """The row first: a job that is still writing then removes what it wrote."""
    DataExport.objects.filter(user_id=user_id).delete()
    shutil.rmtree(file_of(user_id).parent, ignore_errors=True)


def _queue(export: DataExport) -> None:
    from webapp.privacy.tasks import export as task

    def send() -> None:
        try:
            task.delay(export.pk)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("the queue does not answer (%s); the worker will find export %s itself", error, export.pk)

    transaction.on_commit(send)


def _fill(archive: zipfile.ZipFile, user: User) -> None:
    _put(archive, "account.json", {
        "username": user.username, "first_name": user.first_name, "last_name": user.last_name, "email": user.email,
        "role": user.role, "language": user.language, "date_joined": user.date_joined, "last_login": user.last_login,
        "groups": list(user.groups.values_list("name", flat=True)),
        "api_keys": list(user.api_keys.values("name", "prefix", "created_at", "last_used_at", "expires_at")),
        "browsers": list(user.browsers.values("address", "agent", "signed_in_at", "seen_at")),
    })
    for conversation in user.conversations.all():
        archive.writestr(f"conversations/{conversation.pk}.json", conversations.as_json(conversation))
    _put(archive, "translations.json", _rows(user.translations.all()))
    _put(archive, "glossary.json", _rows(user.glossary_terms.all()))
    for source in user.summarized_texts.all():
        _put_summaries(archive, source)
    for batch in user.translation_batches.all():
        for file in batch.files.all():
            folder = f"translated-files/{file.pk}"
            _put(archive, f"{folder}/file.json", {"name": file.name, "source": batch.source, "target": batch.target,
                                                  "status": file.status, "created_at": file.created_at})
            for part in ("original", "made"):
                _copy(archive, translation_batches.folder(file.pk) / part, f"{folder}/{part}-{_plain(file.name)}")
    for collection in user.collections.all():
        folder = f"collections/{_plain(collection.name)}-{str(collection.pk)[:8]}"
        documents = collection.documents.all()
        _put(archive, f"{folder}/collection.json", {
            "name": collection.name, "description": collection.description, "visibility": collection.visibility,
            "created_at": collection.created_at, "shared_with": [str(share) for share in collection.shares.all()],
            "documents": list(documents.values("id", "name", "title", "size", "sha256", "status", "created_at")),
        })
        for document in documents:
            name = f"{folder}/{str(document.pk)[:8]}-{_plain(document.name)}"
            _copy(archive, storage.original(document.pk), name)


def _put_summaries(archive: zipfile.ZipFile, source: SummarizedText) -> None:
    folder = f"summaries/{source.pk}"
    _put(archive, f"{folder}/summaries.json", {
        "title": source.title, "name": source.name, "created_at": source.created_at,
        "summaries": _rows(source.summaries.all()),
    })
    if source.document_id is None:
        try:
            archive.writestr(f"{folder}/text.txt", summary_texts.store().text(str(source.pk)))
        except DocumentMissing:
            log.warning("the text of summary %s is gone, its export goes without", source.pk)


def _rows(found: QuerySet) -> Iterable[dict[str, Any]]:
    return list(found.values())


def _put(archive: zipfile.ZipFile, name: str, values: Any) -> None:
    archive.writestr(name, json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2) + "\n")


def _copy(archive: zipfile.ZipFile, file: Path, name: str) -> None:
    if file.is_file():
        entry = zipfile.ZipInfo.from_file(file, name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with files.open_read(file) as content, archive.open(entry, "w", force_zip64=True) as out:
            shutil.copyfileobj(content, out)


def _plain(name: str) -> str:
    """Good for a file's name on any system."""
    return re.sub(r"[^\w.() -]", "_", name).strip(". ")[:120] or "file"
