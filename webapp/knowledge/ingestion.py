"""Reads a document in: parse, cut into passages, embed, publish to the collection's index.

Each step may be cut off at any moment and the document read in again: what was embedded is kept in its folder until
it is published, and publishing replaces. A document that is deleted meanwhile leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from models_service.client import Encoded, Models, ModelsError
from models_service.sealed.errors import SealedError
from qa import mending, reading
from qa.document_store import DocumentMissing
from qa.documents import DocumentError
from qa.index import CollectionGone, IndexedDocument
from qa.index_encoder import EncoderMismatch
from qa.reading import ReadDocument
from qa.segments import SegmentCorrupt
from webapp.knowledge import refusals, services, storage
from webapp.knowledge.kept_vectors import KeptVectors
from webapp.knowledge.models import Collection, Document, DocumentStatus
from webapp.knowledge.work import Work, WorkLost, WorkStopped
from webapp.sealed_files import cannot_be_opened

log = logging.getLogger(__name__)

BATCH = 64
"""Passages in one request to the model service."""
IN_FLIGHT = 4
"""Requests under way at once, so that the service never waits for us."""
RETRY_SECONDS = (1, 2, 5, 10)
LOOK_SECONDS = 0.25
Result = TypeVar("Result")


def ingest(document_id: UUID, models: Models, runner: asyncio.Runner) -> None:
    """Make the document searchable, or say in its row why it cannot be.

    Returns at once when the document is done, gone or another task's. `runner` is where `models` is awaited.
    """
    work = Work.claim(document_id)
    if work is None:
        return
    with work:
        document = Document.objects.select_related("added_by").filter(pk=document_id, lease=work.lease).first()
        if document is not None:
            work.announce()
            with translation.override(document.added_by.language if document.added_by else None):
                _ingest_claimed(document, work, models, runner)
    _leave_nothing_if_deleted(document_id, document.collection_id if document else None)


def _ingest_claimed(document: Document, work: Work, models: Models, runner: asyncio.Runner) -> None:
    try:
        _ingest(document, work, models, runner)
    except WorkStopped:
        work.change(status=DocumentStatus.QUEUED, error="")
        work.announce()
    except (WorkLost, CollectionGone):
        log.info("document %s is given up: it was deleted, or another task has it", document.pk)
    except DocumentError as error:
        _fail(work, refusals.sentence(error, document.name))
    except SegmentCorrupt as error:
        _fail(work, str(error))
    except EncoderMismatch as error:  # it was swapped once more; a worker will ask for the document again
        log.warning("document %s waits: %s", document.pk, error)
        work.change(status=DocumentStatus.QUEUED, error="")
        work.announce()
    except ModelsError as error:  # those that pass by themselves have been waited for
        _fail(work, _("The model service refused the document: %(why)s") % {"why": error.message})
    except SealedError as error:
        _fail(work, cannot_be_opened(error).message)
    except OSError as error:
        if _is_deleted(document.pk):
            return
        log.exception("document %s cannot be read in", document.pk)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        _fail(work, _("The disk is full. Make room on it, then try again.") if full else
              _("Its files cannot be read or written (%(why)s). Try again.") % {"why": error.strerror or error})
    except Exception:
        log.exception("document %s cannot be read in", document.pk)
        _fail(work, _("Something went wrong while reading it; the worker's log says what. Try again."))


def _ingest(document: Document, work: Work, models: Models, runner: asyncio.Runner) -> None:
    read = reading.read(storage.original(document.pk), document.name, most_recognised=settings.RECOGNISE_PAGES,
                        look=partial(_note_pages, work))
    work.check()
    work.note = ""
    _keep_text(document, read)
    work.total = len(read.passages)
    title = read.title[:255]
    work.change(title=title, media_type=read.media_type, characters=len(read.text),
                recognised_pages=len(read.structure.recognised), unread_pages=len(read.structure.unread))
    with KeptVectors(storage.document_folder(document.pk) / "vectors.part", read.text, read.passages) as kept:
        encoded = runner.run(_until_given_up(_embed(read, models, kept, work), work))
        try:
            _publish(document, title, read, encoded, work)
        except EncoderMismatch:  # the other documents' passages get vectors of this encoder first
            index = storage.index(document.collection_id)
            runner.run(_until_given_up(mending.mend(index, models, progress=partial(_note_mending, work)), work))
            work.note = ""
            _publish(document, title, read, encoded, work)
        kept.forget()


def _note_pages(work: Work, done: int, of: int) -> None:
    work.check()
    if of:
        work.note = _("Recognising the text of pages that are pictures: page %(page)s of %(of)s.") % {
            "page": min(done + 1, of), "of": of}


def _note_mending(work: Work, done: int, of: int) -> None:
    work.note = _("First the collection’s other passages are embedded with the new encoder: %(done)s of %(of)s.") % {
        "done": done, "of": of}


def _keep_text(document: Document, read: ReadDocument) -> None:
    try:
        storage.documents().put_text(str(document.pk), read.text, read.structure)
    except DocumentMissing:
        raise WorkLost from None


def _publish(document: Document, title: str, read: ReadDocument, encoded: Encoded, work: Work) -> None:
    index = storage.make_index(document.collection_id)
    if not Collection.objects.filter(pk=document.collection_id).exists():
        storage.delete_index(document.collection_id)
        raise WorkLost
    work.check()
    indexed = IndexedDocument(str(document.pk), title, read.media_type)
    index.publish(indexed, read.text, read.passages, encoded.vectors, encoded.encoder)
    count = len(read.passages)
    if work.change(status=DocumentStatus.READY, error="", passages_done=count, passages_total=count):
        services.retire_earlier_versions(document)
        work.announce()


def _leave_nothing_if_deleted(document_id: UUID, collection_id: UUID | None) -> None:
    """Take back what was written after the document's row had gone."""
    if not _is_deleted(document_id):
        return
    storage.delete_files(document_id)
    if collection_id is not None:
        storage.delete_from_index(collection_id, document_id)


def _is_deleted(document_id: UUID) -> bool:
    return not Document.objects.filter(pk=document_id).exists()


def _fail(work: Work, sentence: str) -> None:
    if work.change(status=DocumentStatus.FAILED, error=sentence, passages_done=0, passages_total=0):
        work.announce()


async def _embed(read: ReadDocument, models: Models, kept: KeptVectors, work: Work) -> Encoded:
    """A vector for each passage, all of one encoder; those that an earlier attempt kept are taken over."""
    texts = [read.text[passage.start : passage.end] for passage in read.passages]
    while True:
        encoder = None
        if kept.count:
            first = await _embed_patiently(texts[:1], models, work)
            kept.trust_if_from_the_same_encoder(first.vectors[0])
            encoder = first.encoder
        encoder = await _embed_rest(texts, encoder, models, kept, work)
        if encoder is not None:
            return Encoded(kept.vectors(), encoder)
        log.info("the encoder was swapped while document %s was embedded; it begins anew", work.document_id)
        kept.start_over()


async def _embed_rest(
    texts: Sequence[str], encoder: str | None, models: Models, kept: KeptVectors, work: Work
) -> str | None:
    """Keep the vectors of the texts that have none yet; the encoder that made all, or None when it was swapped."""
    work.done = kept.count
    batches = deque(texts[i : i + BATCH] for i in range(kept.count, len(texts), BATCH))
    under_way: deque[asyncio.Task[Encoded]] = deque()
    try:
        while batches or under_way:
            while batches and len(under_way) < IN_FLIGHT:
                under_way.append(asyncio.create_task(_embed_patiently(batches.popleft(), models, work)))
            encoded = await under_way.popleft()
            encoder = encoder or encoded.encoder
            if encoded.encoder != encoder:
                return None
            kept.append(encoded.vectors)
            work.done = kept.count
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    return encoder


async def _embed_patiently(texts: Sequence[str], models: Models, work: Work) -> Encoded:
    """Embed, and wait as long as it takes while the model service is away or busy."""
    attempt = 0
    while True:
        try:
            encoded = await models.encode(texts, client="ingest")
        except ModelsError as error:
            if not error.retryable:
                raise
            log.warning("embedding has to wait: %s", error.message)
            work.note = _("Waiting for the model service; this goes on by itself once it answers.")
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1
        else:
            work.note = ""
            return encoded


async def _until_given_up(embedding: Coroutine[Any, Any, Result], work: Work) -> Result:
    """Await `embedding`, but stop it (which cancels its requests) once the document is deleted or the worker ends."""
    task = asyncio.create_task(embedding)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
            work.check()
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
