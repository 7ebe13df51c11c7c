"""Translates one file of a batch: a claimed row, a lease that is renewed, sentences kept as they come.

A worker may be killed at any moment: its lease is free again at once on the same machine, after LEASE_SECONDS
elsewhere, and the next one takes up the sentences that were kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from models_service.client import ModelsError, ModelService
from models_service.protocol_translated_text import TranslateTextDelta, TranslateTextDone, TranslateTextStart
from models_service.sealed.errors import SealedError
from models_service.sealed.lines import open_line, seal_line
from qa.writing import files
from qa.writing.asking import Candidate, Memory
from qa.writing.files import FileProblem
from qa.writing.routes import TranslationError
from qa.writing.translate import translate_text
from webapp.knowledge import work as documents_at_work
from webapp.leases import is_of_the_dead, new_lease, this_machine
from webapp.limits import meter, tokens
from webapp.sealed_files import cannot_be_opened
from webapp.writing import translating, translation_batches
from webapp.writing.models import FileStatus, TranslationFile

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
LOOK_SECONDS = 0.5
RENEW_SECONDS = 10
RETRY_SECONDS = (1, 2, 5, 10)
MODEL_PATIENCE_SECONDS = 5


class WorkLost(Exception):
    """The file was cancelled or deleted, or another task has it: give up quietly."""


class WorkStopped(Exception):
    """This process is about to end: hand the file back."""


def waiting() -> QuerySet[TranslationFile]:
    """Files that nobody works on and that are not done."""
    unfinished = TranslationFile.objects.filter(status__in=translation_batches.UNFINISHED)
    return unfinished.filter(Q(lease="") | Q(lease_until__lt=timezone.now()))


def free_leases_of_the_dead() -> None:
    held = TranslationFile.objects.filter(lease__startswith=f"{this_machine()}:")
    for pk, lease in held.values_list("pk", "lease"):
        if is_of_the_dead(lease):
            TranslationFile.objects.filter(pk=pk, lease=lease).update(lease="", lease_until=None)


class Claim:
    """A file that this process works on. As a context it renews the lease and writes the progress."""

    def __init__(self, file_id: UUID, lease: str) -> None:
        self._id, self._lease = file_id, lease
        self.done = self.total = 0
        self.note = ""
        self._written: tuple[int, int, str] = (0, 0, "")
        self._renewed = time.monotonic()
        self._lost, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"translate-{file_id}", daemon=True)

    @classmethod
    def take(cls, file_id: UUID) -> Claim | None:
        """None when the file is done, gone or someone else's."""
        lease = new_lease()
        taken = waiting().filter(pk=file_id).update(
            lease=lease, lease_until=_end_of_lease(), status=FileStatus.RUNNING, error="", updated_at=timezone.now()
        )
        return cls(file_id, lease) if taken else None

    def __enter__(self) -> Claim:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.change(lease="", lease_until=None)

    def check(self) -> None:
        if self._lost.is_set():
            raise WorkLost
        if documents_at_work.stopping.is_set():
            raise WorkStopped

    def change(self, **values: Any) -> bool:
        """Write to the row if it is still ours; whether it was."""
        return bool(self._row().update(**values, updated_at=timezone.now()))

    def _row(self) -> QuerySet[TranslationFile]:
        return TranslationFile.objects.filter(pk=self._id, lease=self._lease)

    def _keep(self) -> None:
        try:
            while not self._ended.wait(LOOK_SECONDS) and not self._lost.is_set():
                with suppress(DatabaseError):
                    self._look()
        finally:
            connections.close_all()

    def _look(self) -> None:
        state = (self.done, self.total, self.note)
        if state != self._written or time.monotonic() - self._renewed > RENEW_SECONDS:
            values = {"sentences_done": state[0], "sentences_total": state[1], "error": state[2]}
            if not self.change(lease_until=_end_of_lease(), **values):
                self._lost.set()
            self._written, self._renewed = state, time.monotonic()
        elif not self._row().exists():
            self._lost.set()


class KeptSentences(Memory):
    """What has been translated of one file, in a file beside it; a line that a kill cut off, or whose key is gone, is
    left out."""

    def __init__(self, place: Path) -> None:
        self._known: dict[tuple[str, ...], list[Candidate]] = {}
        if place.exists():
            for line in place.read_text("utf-8").split("\n"):
                with suppress(ValueError, TypeError, KeyError, SealedError):
                    key, candidates = json.loads(open_line(line))
                    self._known[tuple(key)] = [Candidate(*one) for one in candidates]
        self._out = place.open("a", encoding="utf-8")
        self._out.write("\n")
        self.taken_up = len(self._known)

    def recall(self, key: tuple[str, ...]) -> list[Candidate] | None:
        return self._known.get(key)

    def keep(self, key: tuple[str, ...], candidates: list[Candidate]) -> None:
        self._known[key] = candidates
        self._out.write(seal_line(json.dumps([key, [[one.text, one.score] for one in candidates]])) + "\n")
        self._out.flush()

    def close(self) -> None:
        self._out.close()


def translate(file_id: UUID) -> None:
    """Translate the file, or say in its row why it cannot be. Harmless when it is done, gone or another task's."""
    claim = Claim.take(file_id)
    if claim is None:
        return
    file = TranslationFile.objects.select_related("batch__owner").get(pk=file_id)
    with claim, translation.override(file.batch.owner.language or None):
        try:
            _translate(file, claim)
        except WorkStopped:
            claim.change(status=FileStatus.QUEUED)
        except WorkLost:
            log.info("file %s is given up: it was cancelled or deleted, or another task has it", file_id)
        except FileProblem as problem:
            _fail(claim, translation_batches.refusal(problem.code, file.name))
        except SealedError as error:
            _fail(claim, cannot_be_opened(error).message)
        except (TranslationError, ModelsError) as error:
            _fail(claim, translating.refusal(error, file.batch.source, file.batch.target).message)
        except Exception:
            log.exception("file %s cannot be translated", file_id)
            _fail(claim, _("Something went wrong while it was translated; the worker's log says what. Try again."))


def _fail(claim: Claim, sentence: str) -> None:
    claim.change(status=FileStatus.FAILED, error=sentence)


def _translate(file: TranslationFile, claim: Claim) -> None:
    place = translation_batches.folder(file.pk)
    began = time.monotonic()
    words = files.read(place / "original", file.name)
    claim.check()
    kept = KeptSentences(place / "sentences")
    log.info("translating file %s: %s characters, %s sentences known from before", file.pk, len(words.text),
             kept.taken_up)
    try:
        done = asyncio.run(_translated(file, words, claim, kept))
    finally:
        kept.close()
    claim.check()
    meter.charge(file.batch.owner, tokens.count(words.text) + tokens.count(done.translation))
    files.write(place / "original", file.name, done.translation, place / "made")
    count = len(done.sentences)
    flagged = len({flag.sentence for flag in done.flags})
    claim.change(status=FileStatus.DONE, error="", sentences_done=count, sentences_total=count, flagged=flagged,
                 detected=done.detected.language if done.detected else "", via=done.via)
    (place / "sentences").unlink(missing_ok=True)
    log.info("file %s is translated: %s sentences, %s flagged, %.1f s", file.pk, count, flagged,
             time.monotonic() - began)


async def _translated(
    file: TranslationFile, words: files.FileWords, claim: Claim, kept: KeptSentences
) -> TranslateTextDone:
    """Waits as long as it takes while the model service is away or busy."""
    attempt = 0
    terms = await asyncio.to_thread(translating.terms, file.batch.owner, file.batch.source, file.batch.target)
    async with ModelService(lambda: settings.MODELS_SERVICE_URLS, MODEL_PATIENCE_SECONDS) as models:
        while True:
            events = translate_text(
                words.text, source=file.batch.source, target=file.batch.target, models=models, glossary=terms,
                format=words.format, client="files", memory=kept,
            )
            try:
                return await _until_given_up(events, claim)
            except ModelsError as error:
                if not error.retryable:
                    raise
                log.warning("file %s has to wait: %s", file.pk, error.message)
                claim.note = _("Waiting for the model service; this goes on by itself once it answers.")
                await _pause(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)], claim)
                attempt += 1


async def _pause(seconds: float, claim: Claim) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        claim.check()
        await asyncio.sleep(LOOK_SECONDS / 2)


async def _until_given_up(events: Any, claim: Claim) -> TranslateTextDone:
    """The last event; the work is stopped once the file is cancelled or this process ends."""

    async def follow() -> TranslateTextDone:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TranslateTextStart):
                    claim.total = event.sentences
                elif isinstance(event, TranslateTextDelta):
                    claim.done, claim.note = event.sentences, ""
                else:
                    return event
        raise RuntimeError("the translation ended without its last event")

    task = asyncio.create_task(follow())
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_SECONDS / 2)
            claim.check()
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _end_of_lease() -> Any:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
