"""Where the knowledge graph and the files that it was made of lie in the data folder.

    graph/            the graph itself, in generations (`qa/graph.py`)
    graph-files/ID/   a file as it came, and what its import wrote
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from models_service.sealed import files
from qa.graph import GraphStore
from qa.only_one import only_one
from webapp.settings.places import graph_folder


def store() -> GraphStore:
    """The site's graph, the same object each time, so that an opened generation stays open."""
    return _store(graph_folder(settings.DATA_DIR))


@cache
def _store(folder: Path) -> GraphStore:
    return GraphStore(folder)


def files_folder() -> Path:
    return settings.DATA_DIR / "graph-files"


def file_folder(source_id: UUID | str) -> Path:
    return files_folder() / str(source_id)


def original(source_id: UUID | str) -> Path:
    """Where the file as it came lies, or is to be put."""
    return file_folder(source_id) / "original"


@contextmanager
def readable(source_id: UUID | str) -> Iterator[Path]:
    """The file as it came, decrypted where it was encrypted: for a process that reads it and must not have the key.

    Raises:
        SealedError: its key is missing, or it is damaged.
    """
    if files.key_of(original(source_id)) is None:
        yield original(source_id)
        return
    plain = file_folder(source_id) / "plain"
    try:
        with files.open_read(original(source_id)) as sealed, plain.open("wb") as out:
            shutil.copyfileobj(sealed, out)
        yield plain
    finally:
        plain.unlink(missing_ok=True)


def delete_files(source_id: UUID | str) -> None:
    shutil.rmtree(file_folder(source_id), ignore_errors=True)


@contextmanager
def only_writer() -> Iterator[bool]:
    """Whether the rows and the graph are this process's to change together; not while another one does."""
    files_folder().mkdir(parents=True, exist_ok=True)
    with only_one(files_folder() / "lock") as is_ours:
        yield is_ours
