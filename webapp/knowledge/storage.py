"""Where documents and indexes lie in the data folder, and the indexes that this process keeps in memory.

    documents/XX/ID/     the file as it came, its text, and what of its embedding is done
    indexes/COLLECTION/  the collection's search index
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from uuid import UUID

from django.conf import settings

from qa.document_store import DocumentStore
from qa.index import CollectionGone, CollectionIndex

CACHED_BYTES = 2 * 1024**3
"""Of vectors in one process: 1.4 million at 384 dimensions. The index that was asked for last always stays."""
CACHED_INDEXES = 500

_cached: OrderedDict[Path, CollectionIndex] = OrderedDict()
_lock = threading.Lock()


def documents() -> DocumentStore:
    return DocumentStore(settings.DATA_DIR / "documents")


def document_folder(document_id: UUID | str) -> Path:
    return documents().folder(str(document_id))


def original(document_id: UUID | str) -> Path:
    """Where the file as it was uploaded lies, or is to be put."""
    return document_folder(document_id) / "original"


def delete_files(document_id: UUID | str) -> None:
    documents().delete(str(document_id))


def index_folder(collection_id: UUID | str) -> Path:
    return settings.DATA_DIR / "indexes" / str(collection_id)


def index(collection_id: UUID | str) -> CollectionIndex:
    """The collection's index, the same object each time, so that its vectors stay in memory.

    It is made with the first document; until then, and once the collection is deleted, searching it raises
    CollectionGone, which answering leaves out.
    """
    folder = index_folder(collection_id)
    with _lock:
        found = _cached.setdefault(folder, CollectionIndex(folder))
        _cached.move_to_end(folder)
        _drop_what_is_too_much()
    return found


def make_index(collection_id: UUID | str) -> CollectionIndex:
    """`index`, made when it is missing. The caller checks afterwards that the collection still exists."""
    CollectionIndex.create(index_folder(collection_id))
    return index(collection_id)


def delete_index(collection_id: UUID | str) -> None:
    """Out of every search at once; other processes notice by themselves. One that was never made is fine."""
    folder = index_folder(collection_id)
    with _lock:
        _cached.pop(folder, None)
    CollectionIndex(folder).remove()


def clear_index(collection_id: UUID | str) -> None:
    """Empty it, for all processes at once; one that was never made is fine."""
    try:
        index(collection_id).clear()
    except CollectionGone:
        return


def delete_from_index(collection_id: UUID | str, document_id: UUID | str) -> None:
    """Out of every search at once; a document or an index that is not there is fine."""
    try:
        index(collection_id).delete(str(document_id))
    except CollectionGone:
        return


def _drop_what_is_too_much() -> None:
    """Forget indexes whose collection another process deleted, then those that have not been asked for longest."""
    for folder in [folder for folder, kept in _cached.items() if kept.memory_bytes and not folder.exists()]:
        del _cached[folder]
    total = sum(kept.memory_bytes for kept in _cached.values())
    while len(_cached) > 1 and (total > CACHED_BYTES or len(_cached) > CACHED_INDEXES):
        _folder, dropped = _cached.popitem(last=False)
        total -= dropped.memory_bytes
