"""One collection's search index: dense (FAISS) and word (BM25) search over passages, in one folder.

    index.sqlite    documents, passages, words, and which segments are live
    segments/       immutable FAISS files

Publishing is atomic: segment files reach the disk first, then one SQLite transaction makes them and their passages
visible. Whatever is killed when, the index is either the old one or the new one. Any number of processes read; those
that publish take turns.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np

from qa import index_database as database
from qa import index_encoder
from qa import segments as segment_files
from qa.durable import link
from qa.index_database import IndexedDocument, IndexedPassage
from qa.index_encoder import Encoder
from qa.only_one import only_one
from qa.passages import Passage
from qa.segments import Segment, SegmentCorrupt, SegmentFile

_log = logging.getLogger(__name__)
SEGMENTS = "segments"
_LOCK = "publish.lock"
_DAMAGED = "damaged"
"""The file that says that a file of vectors was found damaged."""
_LOAD_ATTEMPTS = 5
_MOST_STEMS = 50_000
_COMPACT_FROM = 1024
"""Below this many vectors, deleted ones are not worth rewriting the rest for."""


class CollectionGone(LookupError):
    """The collection was deleted (or never made)."""


class CollectionIndex:
    """The index in `folder`. One object may serve many threads; it keeps the live segments in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[int, int], tuple[Segment, ...]] | None = None

    @classmethod
    def create(cls, folder: Path) -> CollectionIndex:
        """Make an empty index, or open the one that is there."""
        folder = Path(folder)
        (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        with database.connect(folder, create=True):
            pass
        return cls(folder)

    def remove(self) -> None:
        """Delete the whole collection: readers meet CollectionGone from now on. Gone already is fine."""
        away = self.folder.with_name(f".removed-{uuid.uuid4().hex}")
        try:
            self.folder.rename(away)
        except FileNotFoundError:
            return
        shutil.rmtree(away, ignore_errors=True)

    # --- writing ---

    def publish(
        self, document: IndexedDocument, text: str, passages: Sequence[Passage], vectors: np.ndarray,
        encoder: str = "",
    ) -> None:
        """Make the document searchable, replacing what was published for its id before.

        Args:
            text: the stored document, which `passages` cut.
            vectors: float32 of shape (passages, dimension), each of L2 norm 1.
            encoder: what made the vectors, `NAME@VERSION`; "" when nothing but their dimension is to be compared.

        Raises:
            CollectionGone: the collection was deleted.
            EncoderMismatch: the index holds passages whose vectors are of another encoder.
            ValueError: vectors and passages do not fit.
        """
        if len(vectors) != len(passages) or vectors.ndim != 2:
            raise ValueError(f"{len(passages)} passages but vectors of shape {vectors.shape}")
        with self.publishing() as connection:
            self._sweep(connection)
            given = Encoder(encoder, vectors.shape[1]) if len(passages) else Encoder()
            outdated = index_encoder.outdated_segments(connection, self.folder.name, document.id, given)
            first = database.reserve_passages(connection, len(passages))
            ids = np.arange(first, first + len(passages), dtype=np.int64)
            written = [segment_files.write(self.segments, ids, vectors)] if len(passages) else []
            rows = [(int(i), p.start, p.end, text[p.start : p.end]) for i, p in zip(ids, passages, strict=True)]
            with database.transaction(connection):
                database.delete_document(connection, document.id)
                database.insert_document(connection, document, rows)
                index_encoder.record(connection, given)
                database.replace_segments(connection, outdated, written)
            self._merge(connection)

    def delete(self, document_id: str) -> None:
        """Take a document out of every search at once; one that is not there is fine. Its vectors go later.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection, database.transaction(connection):
            database.delete_document(connection, document_id)

    def clear(self) -> None:
        """Take everything out of it at once, and forget the encoder. Raises CollectionGone."""
        with self.publishing() as connection:
            with database.transaction(connection):
                database.delete_everything(connection)
            self._sweep(connection)

    def copy(self, folder: Path) -> None:
        """The index as it is published now, into `folder`, which is made. Who publishes waits; who reads does not.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.publishing() as connection:
            (folder / SEGMENTS).mkdir(parents=True)
            database.copy(connection, folder)
            for segment in database.manifest(connection)[1]:
                link(self.segments / segment.name, folder / SEGMENTS / segment.name)

    @contextmanager
    def publishing(self) -> Iterator[sqlite3.Connection]:
        """The publishers' lock, which the system releases when its holder is killed."""
        try:
            lock = (self.folder / _LOCK).open("a")
        except FileNotFoundError:
            raise CollectionGone(f"{self.folder.name} was deleted") from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.connection() as connection:
                yield connection

    @contextmanager
    def alone(self, lock: str) -> Iterator[bool]:
        """Whether nobody else does the work that this lock file of the index stands for; nobody waits for it.

        Raises:
            CollectionGone: the collection was deleted.
        """
        try:
            with only_one(self.folder / lock) as is_alone:
                yield is_alone
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise CollectionGone(f"{self.folder.name} was deleted") from error
            raise

    def _merge(self, connection: sqlite3.Connection) -> None:
        """Merge one full tier; or everything when more than half of it has been deleted."""
        _, live = database.manifest(connection)
        total = sum(s.vectors for s in live)
        if total >= _COMPACT_FROM and database.count_passages(connection) < total / 2:
            chosen = {s.name for s in live}
        else:
            chosen = set(segment_files.to_merge([(s.name, s.vectors) for s in live]))
        if not chosen:
            return
        try:
            merged = self._write_merged(connection, [s for s in live if s.name in chosen])
        except SegmentCorrupt as error:
            _log.error("not merged: %s", error)  # what was published is safe
            self.note_damage()
            return
        with database.transaction(connection):
            database.replace_segments(connection, chosen, merged)
        self._sweep(connection)

    def _write_merged(self, connection: sqlite3.Connection, old: Sequence[SegmentFile]) -> list[SegmentFile]:
        parts = (part for s in old if len((part := self._surviving(connection, s))[0]))
        first = next(parts, None)
        return [segment_files.write_parts(self.segments, chain([first], parts))] if first is not None else []

    def _surviving(self, connection: sqlite3.Connection, segment: SegmentFile) -> tuple[np.ndarray, np.ndarray]:
        """Ids and vectors of its passages that have not been deleted."""
        ids, vectors = segment_files.load(self.segments, segment).content()
        used = database.existing(connection, ids.tolist())
        kept = np.fromiter((int(i) in used for i in ids), dtype=bool, count=len(ids))
        return ids[kept], vectors[kept]

    def _sweep(self, connection: sqlite3.Connection) -> None:
        """Remove what a killed publisher left behind and what a merge replaced."""
        _, live = database.manifest(connection)
        segment_files.sweep(self.segments, {s.name for s in live})

    def note_damage(self, is_damaged: bool = True) -> None:
        """Whether a file of vectors is damaged, for whoever mends indexes (`mending.py`)."""
        note = self.folder / _DAMAGED
        try:
            if is_damaged:
                note.touch()
            else:
                note.unlink(missing_ok=True)
        except OSError as error:
            _log.error("whether %s is damaged cannot be noted (%s)", self.folder.name, error)

    @property
    def is_damaged(self) -> bool:
        return (self.folder / _DAMAGED).exists()

    # --- reading ---

    def dense(
        self, vector: np.ndarray, k: int, encoder: str = "", documents: Collection[str] | None = None
    ) -> list[tuple[int, float]]:
        """The k passages nearest to `vector`, float32 (dimension,), as (id, cosine), nearest first.

        Args:
            encoder: what made the vector, `NAME@VERSION`; "" when nothing but its dimension is to be compared.
            documents: the only ones that are searched, where not all are.

        Raises:
            CollectionGone: the collection was deleted.
            EncoderMismatch: the index's vectors are of another encoder.
            SegmentCorrupt: a file of the index is damaged.
        """
        with self.connection() as connection:
            segments = self._current(connection)
            if segments:
                given = Encoder(encoder, len(vector))
                index_encoder.check(connection, self.folder.name, given, segments[0].index.d)
            total = sum(s.index.ntotal for s in segments)
            wanted = min(k, total)
            asked = wanted + 8
            whole = documents is not None  # the few that are wanted may be far from the best
            if documents is not None:
                database.want(connection, documents)
            while True:
                found = segment_files.search(segments, vector, asked, whole=whole)
                used = database.existing(connection, [i for i, _ in found], wanted=documents is not None)
                alive = [(i, score) for i, score in found if i in used]
                if len(alive) >= wanted or asked >= total:
                    return alive[:k]
                asked, whole = 4 * asked, True  # the nearest are of deleted or unwanted documents: look further

    def bm25(self, query: str, k: int, documents: Collection[str] | None = None) -> list[tuple[int, float]]:
        """The k passages that share the rarest words with `query`, as (id, score), best first.

        Args:
            documents: the only ones that are searched, where not all are.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            if documents is not None:
                database.want(connection, documents)
            return database.search_words(connection, query, k, wanted=documents is not None)

    def around(self, passage: int) -> tuple[str, str]:
        """The texts of the passages before and after this one in its document; "" where there is none.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.around(connection, passage)

    def every_passage(self) -> list[IndexedPassage]:
        """All that can be found, in the order of their documents.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return list(database.every_passage(connection))

    def passages(self, ids: Sequence[int]) -> dict[int, IndexedPassage]:
        """Those of the passages that still exist, by id.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.read_passages(connection, ids)

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many passages each term stands in any of its forms; terms that stand in none are left out.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.passage_frequencies(connection, terms)

    def stems_like(self, word: str, more_or_less: int) -> dict[str, int]:
        """Stems that begin as the word's does and are about as long, with how many passages hold each.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.stems_like(connection, database.stem_of(word), more_or_less, _MOST_STEMS)

    def written(self, stem: str) -> list[str]:
        """How a passage writes the word of this stem.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.written(connection, stem)

    def count(self) -> int:
        """How many passages can be found.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.count_passages(connection)

    def document_ids(self) -> set[str]:
        """The documents that can be found.

        Raises:
            CollectionGone: the collection was deleted.
        """
        with self.connection() as connection:
            return database.document_ids(connection)

    @property
    def memory_bytes(self) -> int:
        """What its vectors take in this process now."""
        return sum(s.memory_bytes for s in self._loaded[1]) if self._loaded else 0

    def check(self) -> None:
        """Read every live segment anew and compare it with its checksum.

        Raises:
            CollectionGone: the collection was deleted.
            SegmentCorrupt: a file of the index is damaged.
        """
        with self.connection() as connection:
            for wanted in database.manifest(connection)[1]:
                segment_files.load(self.segments, wanted)

    @property
    def segments(self) -> Path:
        return self.folder / SEGMENTS

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection; whatever fails because the folder went away is CollectionGone."""
        try:
            with database.connect(self.folder) as connection:
                yield connection
        except (sqlite3.Error, OSError, SegmentCorrupt) as error:
            if not (self.folder / database.DATABASE_NAME).exists():
                raise CollectionGone(f"{self.folder.name} was deleted") from error
            raise

    def _current(self, connection: sqlite3.Connection) -> tuple[Segment, ...]:
        """The live segments: one cheap look at the generation, and only new files are read."""
        inode = (self.folder / database.DATABASE_NAME).stat().st_ino
        version = (inode, database.generation(connection))
        loaded = self._loaded
        if loaded and loaded[0] == version:
            return loaded[1]
        with self._lock:
            for attempt in range(_LOAD_ATTEMPTS):
                number, wanted = database.manifest(connection)
                known = {s.name: s for s in self._loaded[1]} if self._loaded else {}
                try:
                    segments = tuple(known.get(s.name) or segment_files.load(self.segments, s) for s in wanted)
                except SegmentCorrupt:
                    # a merge may have replaced it since the manifest was read
                    if attempt == _LOAD_ATTEMPTS - 1 or database.generation(connection) == number:
                        raise
                    continue
                self._loaded = ((inode, number), segments)
                return segments
        raise AssertionError("the last attempt returns or raises")
