"""Gives the passages of an index vectors that they lack: of another encoder that was put into use, or because a file
of vectors was damaged.

The vectors are computed beside the index, which goes on answering (by words alone where its vectors are of no use),
and put in place by one transaction. Whatever is killed when, what has been computed is kept.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models_service.client import Models
from qa import index_database as database
from qa import index_encoder
from qa import segments as segment_files
from qa.index import CollectionIndex
from qa.index_encoder import Encoder
from qa.segments import SegmentCorrupt, SegmentFile
from qa.vectors_anew import VectorsAnew, rows_kept

log = logging.getLogger(__name__)
AT_ONCE = 512
"""Passages embedded between two looks at whether to go on."""
_LOCK = "mend.lock"
_PROBE = "Which encoder is served?"


@dataclass(frozen=True)
class Mended:
    """`embedded` passages got a vector; `is_whole` when none is left without."""

    embedded: int
    is_whole: bool


def lacks_vectors(index: CollectionIndex, encoder: str) -> bool:
    """Whether the index is of another encoder than `encoder`, NAME@VERSION, or was found damaged. A quick look.

    Raises:
        CollectionGone: the collection was deleted.
    """
    if index.is_damaged:
        return True
    with index.connection() as connection:
        is_of_another = not index_encoder.recorded(connection).fits(Encoder(encoder))
        return is_of_another and bool(database.manifest(connection)[1])


def done_of(index: CollectionIndex) -> tuple[int, int]:
    """How many of how many passages have been embedded so far, while it is mended. Raises CollectionGone."""
    total = index.count()
    return min(rows_kept(index.folder), total), total


async def mend(
    index: CollectionIndex, models: Models, *, seconds: float | None = None,
    check: Callable[[], None] = lambda: None, progress: Callable[[int, int], None] = lambda done, of: None,
) -> Mended:
    """Embed every passage that has no vector of the encoder served now, and publish the vectors.

    Args:
        seconds: how long to work at most; the next call goes on from there.
        check: called between batches; what it raises ends the work.
        progress: called with the passages that have a vector and all.

    Raises:
        CollectionGone: the collection was deleted. Errors of the model service and of `check` pass through.
    """
    end = None if seconds is None else time.monotonic() + seconds
    embedded = 0
    with index.alone(_LOCK) as is_alone:
        while is_alone:
            first = await models.encode([_PROBE], client="ingest")
            given = Encoder(first.encoder, first.vectors.shape[1])
            anew = await asyncio.to_thread(VectorsAnew, index.folder, given)
            lacking = await asyncio.to_thread(_lacking, index, given, anew)
            if not len(lacking):
                if await asyncio.to_thread(_publish, index, given, anew):
                    return Mended(embedded, True)
                continue  # a document was added meanwhile
            total = index.count()
            for begin in range(0, len(lacking), AT_ONCE):
                check()
                if end is not None and time.monotonic() > end:
                    return Mended(embedded, False)
                passages = index.passages(lacking[begin : begin + AT_ONCE].tolist())
                if not passages:
                    continue
                encoded = await models.encode([one.text for one in passages.values()], client="ingest")
                if encoded.encoder != given.name:
                    break  # it was swapped meanwhile: begin anew with what is served now
                anew.add(np.fromiter(passages, np.int64, len(passages)), encoded.vectors)
                embedded += len(passages)
                progress(total - len(lacking) + min(begin + AT_ONCE, len(lacking)), total)
    return Mended(embedded, False)


def _lacking(index: CollectionIndex, given: Encoder, anew: VectorsAnew) -> np.ndarray:
    """Ids of the passages without a vector of this encoder, in the index or beside it."""
    with index.connection() as connection:
        _good, having = _of_use(index, connection, given)
        return np.setdiff1d(database.passage_ids(connection), np.concatenate([having, anew.ids]))


def _of_use(
    index: CollectionIndex, connection: sqlite3.Connection, given: Encoder
) -> tuple[list[SegmentFile], np.ndarray]:
    """The segments that hold vectors of this encoder and are whole, and the passages that they know."""
    good, ids = [], [np.empty(0, np.int64)]
    if index_encoder.recorded(connection).fits(given):
        for segment in database.manifest(connection)[1]:
            try:
                ids.append(segment_files.load(index.segments, segment).content()[0])
            except SegmentCorrupt as error:
                log.warning("%s; the passages are embedded again", error)
                continue
            good.append(segment)
    return good, np.concatenate(ids)


def _publish(index: CollectionIndex, given: Encoder, anew: VectorsAnew) -> bool:
    """Put the vectors in place; False when a passage has none yet. Publishers of documents wait meanwhile."""
    with index.publishing() as connection:
        good, having = _of_use(index, connection, given)
        wanted = database.passage_ids(connection)
        if len(np.setdiff1d(wanted, np.concatenate([having, anew.ids]))):
            return False
        new = [segment_files.write(index.segments, ids, vectors)
               for ids, vectors in anew.parts(np.setdiff1d(wanted, having))]
        names = {segment.name for segment in good}
        old = [segment.name for segment in database.manifest(connection)[1] if segment.name not in names]
        with database.transaction(connection):
            database.replace_segments(connection, old, new)
            if len(wanted):
                index_encoder.record(connection, given)
        segment_files.sweep(index.segments, {segment.name for segment in database.manifest(connection)[1]})
    anew.remove()
    index.note_damage(False)
    return True
