"""Removes what a process killed at the wrong moment left behind: files and index entries whose row is gone."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings

from qa.index import CollectionGone
from webapp.knowledge import storage
from webapp.knowledge.models import Collection, Document
from webapp.writing.models import SummarizedText

log = logging.getLogger(__name__)

GRACE_SECONDS = 3600
"""What is younger may belong to an upload that is under way."""


def tidy() -> int:
    """How many things were removed."""
    removed = _index_entries() + _indexes() + _document_folders() + _summarized_texts() + _half_things()
    if removed:
        log.info("removed %s leftovers of deleted documents and broken uploads", removed)
    return removed


def _index_entries() -> int:
    """Documents that can still be found though they were deleted."""
    removed = 0
    for collection in Collection.objects.values_list("pk", flat=True):
        with suppress(CollectionGone):
            found = storage.index(collection).document_ids()
            kept = {str(pk) for pk in Document.objects.filter(collection=collection).values_list("pk", flat=True)}
            for document in found - kept:
                if not Document.objects.filter(pk=document).exists():
                    storage.delete_from_index(collection, document)
                    removed += 1
    return removed


def _indexes() -> int:
    removed = 0
    for folder, collection in _named_by_id(settings.DATA_DIR / "indexes", "*"):
        if not Collection.objects.filter(pk=collection).exists():
            storage.delete_index(folder.name)
            removed += 1
    return removed


def _document_folders() -> int:
    removed = 0
    for folder, document in _named_by_id(settings.DATA_DIR / "documents", "*/*"):
        if not Document.objects.filter(pk=document).exists():
            storage.delete_files(folder.name)
            removed += 1
    return removed


def _summarized_texts() -> int:
    """Texts that were handed in to be summarized, whose row went with its owner's account."""
    removed = 0
    for folder, source in _named_by_id(settings.DATA_DIR / "summaries", "*/*"):
        if not SummarizedText.objects.filter(pk=source).exists():
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _half_things() -> int:
    """Uploads that broke off and folders that were on their way out."""
    removed = 0
    for folder, pattern in (("incoming", "*"), ("documents", "*/.*"), ("summaries", "*/.*"), ("indexes", ".*")):
        for path in _old(settings.DATA_DIR / folder, pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            removed += 1
    return removed


def _named_by_id(folder: Path, pattern: str) -> Iterator[tuple[Path, UUID]]:
    for path in _old(folder, pattern):
        with suppress(ValueError):
            yield path, UUID(path.name)


def _old(folder: Path, pattern: str) -> Iterator[Path]:
    for path in list(folder.glob(pattern)):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > GRACE_SECONDS:
                yield path
