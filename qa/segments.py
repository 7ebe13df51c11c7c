"""Immutable FAISS files of one collection: written whole, checked when loaded, merged when many are small.

Which of them are live is not known here; the index's database says so.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from qa import short_codes
from qa.durable import sync_folder

SUFFIX = ".faiss"
MERGE_FACTOR = 8
"""This many segments of one tier are merged into one of the next."""
SMALLEST_TIER = 512
LARGEST_MERGED = 65_536
"""Segments of this many vectors (100 MB at 384 dimensions) and more are left as they are: a merge holds what it
merges in memory, and one more segment costs a search next to nothing."""


class SegmentCorrupt(Exception):
    """A segment file is missing, cut short or changed. `args[0]` says which and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"search index file {path.name} {reason}. Its vectors are lost; `manage.py index mend` computes them "
            "again."
        )
        self.path = path


@dataclass(frozen=True)
class SegmentFile:
    """A segment as the manifest names it; `checksum` is of the file's bytes, `vectors` how many it holds.

    `factor` is how many times as many as are wanted a search by short codes compares exactly, 0 where an exact search
    is to stay, None as long as that has not been measured (`short_codes.py`).
    """

    name: str
    checksum: str
    vectors: int
    factor: int | None = None


@dataclass(frozen=True)
class Segment:
    """A loaded segment: a FAISS `index` of vectors by passage id."""

    name: str
    index: faiss.Index

    def search(self, query: np.ndarray, k: int, *, whole: bool = False) -> list[tuple[int, float]]:
        """The k passages nearest to one query, float32 (1, dimension), as (id, inner product), nearest first.

        Args:
            whole: compare every vector exactly, also where there are short codes.
        """
        with short_codes.one_thread():
            if whole and short_codes.refined(self.index):
                scores, places = short_codes.exact(self.index).search(query, min(k, self.index.ntotal))
                ids = faiss.vector_to_array(self.index.id_map)[places]
            else:
                scores, ids = self.index.search(query, min(k, self.index.ntotal))
        return [(int(i), float(score)) for i, score in zip(ids[0], scores[0], strict=True) if i >= 0]

    @property
    def memory_bytes(self) -> int:
        """What its vectors take, and their codes, where it has some."""
        codes = short_codes.BYTES_OF_A_NUMBER if short_codes.refined(self.index) else 0
        return int(self.index.ntotal * self.index.d * (4 + codes))

    def content(self) -> tuple[np.ndarray, np.ndarray]:
        """Its passage ids, int64 (n,), and vectors, float32 (n, dimension)."""
        ids = faiss.vector_to_array(self.index.id_map)
        flat = short_codes.exact(self.index)
        vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(-1, flat.d)
        return ids, vectors.copy()


def write(folder: Path, ids: np.ndarray, vectors: np.ndarray) -> SegmentFile:
    """Write `vectors`, float32 (n, dimension), under passage `ids`, int64 (n,); the segment is on disk on return."""
    return write_parts(folder, [(ids, vectors)])


def write_parts(folder: Path, parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> SegmentFile:
    """`write` of several (ids, vectors), at least one, which are taken one by one."""
    index = None
    for ids, vectors in parts:
        index = index or faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))
    return write_index(folder, index)


def write_index(folder: Path, index: faiss.Index, factor: int | None = None) -> SegmentFile:
    """The segment is on disk on return."""
    data = faiss.serialize_index(index)
    path = folder / f"{uuid.uuid4().hex}{SUFFIX}"
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    return SegmentFile(path.name, _checksum(data), index.ntotal, factor)


def load(folder: Path, wanted: SegmentFile) -> Segment:
    """Read a segment and check it against the manifest.

    Raises:
        SegmentCorrupt: it is missing or its bytes are not those that were written.
    """
    path = folder / wanted.name
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except FileNotFoundError:
        raise SegmentCorrupt(path, "is missing") from None
    if _checksum(data) != wanted.checksum:
        raise SegmentCorrupt(path, "is damaged")
    return Segment(wanted.name, faiss.deserialize_index(data))


def search(
    segments: Sequence[Segment], vector: np.ndarray, k: int, *, whole: bool = False
) -> list[tuple[int, float]]:
    """The k best of all segments, best first. `whole` is as in `Segment.search`."""
    query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
    found: list[tuple[int, float]] = []
    for segment in segments:
        found += segment.search(query, k, whole=whole)
    return sorted(found, key=lambda pair: -pair[1])[:k]


def to_merge(sizes: Sequence[tuple[str, int]]) -> list[str]:
    """Names of the segments to merge next, from (name, vectors) pairs; empty when there is nothing to gain.

    Size-tiered: the smallest tier that is full. So each vector is rewritten a logarithmic number of times, and adding
    a document to a large collection does not rewrite the collection.
    """
    tiers: dict[int, list[str]] = {}
    for name, vectors in sizes:
        if vectors < LARGEST_MERGED:
            tiers.setdefault(_tier(vectors), []).append(name)
    full = [tier for tier, names in tiers.items() if len(names) >= MERGE_FACTOR]
    return tiers[min(full)] if full else []


def _tier(vectors: int) -> int:
    tier = 0
    while vectors >= SMALLEST_TIER:
        vectors //= MERGE_FACTOR
        tier += 1
    return tier


def sweep(folder: Path, live: set[str]) -> None:
    """Remove segment files that the manifest does not name. For the one publisher that holds the lock."""
    for path in folder.glob(f"*{SUFFIX}"):
        if path.name not in live:
            path.unlink(missing_ok=True)


def _checksum(data: np.ndarray) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
