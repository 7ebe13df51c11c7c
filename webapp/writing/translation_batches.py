"""What changes batches of files to translate: handing in, cancelling, trying again, deleting.

    translations/XX/ID/original    the file as it came
    translations/XX/ID/made        the translated file
    translations/XX/ID/sentences   what of it has been translated, until it is made

Translating them is `translation_work.py`'s.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from qa.writing.files import FORMATS, MAX_CHARACTERS, FileProblem, format_of
from webapp import access
from webapp.accounts.models import User
from webapp.errors import BadInput, Busy, Conflict
from webapp.limits import meter
from webapp.uploads import plain_name, receive
from webapp.writing.models import FileStatus, TranslationBatch, TranslationFile

log = logging.getLogger(__name__)

MOST_WAITING = 100
"""Files of one person that are not done."""
UNFINISHED = (FileStatus.QUEUED, FileStatus.RUNNING)


def folder(file_id: UUID | str) -> Path:
    return settings.DATA_DIR / "translations" / str(file_id)[:2] / str(file_id)


def refusal(code: str, name: str) -> str:
    """Why a file cannot be translated, and what to do."""
    sentences = {
        "unsupported": _("%(name)s is of a type that cannot be translated here. Supported types: %(types)s."),
        "empty": _("%(name)s holds no words to translate."),
        "binary": _("%(name)s cannot be read as text: it is a binary file, damaged, or in an unknown encoding. "
                    "Save it as UTF-8 text."),
        "encrypted": _("%(name)s is protected by a password, or of an older Word. Save it as DOCX without a "
                       "password."),
        "broken": _("%(name)s is damaged, or not what its ending says. Open it and save it again."),
        "too_large": _("%(name)s holds more than %(most)s characters, or unpacks to too much. Split it."),
        "too_hard": _("%(name)s takes more time or memory to read than a file may. Split it."),
    }
    values = {"name": name, "types": ", ".join(sorted(FORMATS)), "most": f"{MAX_CHARACTERS:,}"}
    return sentences[code] % values


def create(
    owner: User, files: Sequence[tuple[str, Iterable[bytes]]], source: str, target: str
) -> TranslationBatch:
    """Take files in, all or none, and queue them."""
    if not files:
        raise BadInput(_("Choose at least one file."), "files")
    names = [plain_name(name, f"{uuid.uuid4().hex[:8]}.txt") for name, _chunks in files]
    for name in names:
        try:
            format_of(name)
        except FileProblem as problem:
            raise BadInput(refusal(problem.code, name), "files") from None
    waiting = access.own_translation_files(owner).filter(status__in=UNFINISHED).count()
    if waiting + len(files) > MOST_WAITING:
        raise Busy(_("At most %(most)s files may wait for you at once. Let some be done first.")
                   % {"most": MOST_WAITING})
    meter.start_jobs(owner, len(files))
    batch = TranslationBatch(owner=owner, source=source, target=target)
    rows: list[TranslationFile] = []
    try:
        for name, (_given, chunks) in zip(names, files, strict=True):
            row = TranslationFile(batch=batch, name=name, size=0)
            rows.append(row)
            place = folder(row.pk) / "original"
            place.parent.mkdir(parents=True, exist_ok=True)
            row.size = receive(chunks, place, name, "files").size
        with transaction.atomic():
            batch.save()
            for row in rows:
                row.save(force_insert=True)
    except BaseException:
        for row in rows:
            shutil.rmtree(folder(row.pk), ignore_errors=True)
        raise
    for row in rows:
        queue(row.pk)
    return batch


def queue(file_id: UUID) -> None:
    """Ask the worker to translate the file; a worker that was not asked finds it by itself."""
    from webapp.writing.tasks import translate_file

    try:
        translate_file.delay(str(file_id))
    except (OperationalError, RedisError, OSError) as error:
        log.warning("the queue does not answer (%s); the worker will find file %s itself", error, file_id)


def cancel(file: TranslationFile) -> TranslationFile:
    """Stop a file that is not done; a worker that is at it notices within a second."""
    changed = TranslationFile.objects.filter(pk=file.pk, status__in=UNFINISHED).update(
        status=FileStatus.CANCELLED, lease="", lease_until=None, updated_at=timezone.now()
    )
    if not changed:
        raise Conflict(_("This file is not being translated, so there is nothing to cancel."))
    file.refresh_from_db()
    return file


def retry(file: TranslationFile) -> TranslationFile:
    """Translate a file once more that failed or was cancelled; what was done of it is used again."""
    changed = TranslationFile.objects.filter(
        pk=file.pk, status__in=(FileStatus.FAILED, FileStatus.CANCELLED)
    ).update(status=FileStatus.QUEUED, error="", lease="", lease_until=None, updated_at=timezone.now())
    if not changed:
        raise Conflict(_("This file has not failed, so there is nothing to try again."))
    file.refresh_from_db()
    queue(file.pk)
    return file


def delete(batch: TranslationBatch) -> None:
    """The rows and the files; a worker that is at one of them gives up."""
    files = list(batch.files.values_list("pk", flat=True))
    batch.delete()
    for file_id in files:
        shutil.rmtree(folder(file_id), ignore_errors=True)


def delete_file(file: TranslationFile) -> None:
    """One file of a batch; the batch goes with its last."""
    pk, batch = file.pk, file.batch
    file.delete()
    shutil.rmtree(folder(pk), ignore_errors=True)
    if not batch.files.exists():
        batch.delete()


def made_name(file: TranslationFile) -> str:
    """The translated file's name: report.docx in German is report.de.docx."""
    path = PurePath(file.name)
    return f"{path.stem}.{file.batch.target}{path.suffix}"
