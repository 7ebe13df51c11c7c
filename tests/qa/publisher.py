"""Documents whose text and vectors follow from their name and version, and processes that publish them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from qa.index import CollectionIndex, IndexedDocument
from qa.passages import Passage

DIMENSION = 16


def passage_texts(document: str, version: int) -> list[str]:
    """One to five passages, which name the document, the version and their place."""
    count = 1 + (version * 7 + len(document)) % 5
    return [f"{document} version{version} place{i} common words of every passage" for i in range(count)]


def vector_of(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def publish(index: CollectionIndex, document: str, version: int = 1) -> None:
    publish_texts(index, document, passage_texts(document, version))


def publish_texts(index: CollectionIndex, document: str, pieces: list[str], title: str = "") -> None:
    text = "\n".join(pieces)
    starts = np.cumsum([0] + [len(piece) + 1 for piece in pieces[:-1]]).tolist()
    passages = [Passage(start, start + len(piece)) for start, piece in zip(starts, pieces, strict=True)]
    vectors = np.stack([vector_of(piece) for piece in pieces])
    index.publish(IndexedDocument(document, title, "text/plain"), text, passages, vectors)


def publish_until_killed(folder: Path, journal: Path, first_version: int) -> None:
    """Replaces ten documents again and again; the journal says what was begun and what was done."""
    index = CollectionIndex(folder)
    log = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    version = first_version
    while True:
        for number in range(10):
            document = f"document{number}"
            os.write(log, f"begun {document} {version}\n".encode())
            publish(index, document, version)
            os.write(log, f"done {document} {version}\n".encode())
        version += 1


def publish_some(folder: Path, name: str, count: int) -> None:
    """Makes the index if need be; adds documents, replaces each once and deletes every third."""
    index = CollectionIndex.create(folder)
    for number in range(count):
        publish(index, f"{name}-{number}", 1)
        publish(index, f"{name}-{number}", 2)
        if number % 3 == 0:
            index.delete(f"{name}-{number}")


def delete_one(folder: Path, document: str) -> None:
    CollectionIndex(folder).delete(document)


def remove_all(folder: Path) -> None:
    CollectionIndex(folder).remove()
