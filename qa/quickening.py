"""Gives the large segments of an index short codes, so that a search stays quick however large the collection is.

They are built beside the index, which goes on answering from the segment as it was, and are put in place by one
transaction. Whatever is killed when, the index is the one or the other.
"""

from __future__ import annotations

from qa import index_database as database
from qa import segments as segment_files
from qa import short_codes
from qa.index import CollectionIndex
from qa.segments import SegmentCorrupt, SegmentFile

_LOCK = "codes.lock"


def uncoded(index: CollectionIndex) -> list[SegmentFile]:
    """The large segments for which codes were not tried yet; a quick look. Raises CollectionGone."""
    with index.connection() as connection:
        return [one for one in database.manifest(connection)[1]
                if one.vectors >= short_codes.FROM and one.factor is None]


def give_codes(index: CollectionIndex) -> bool:
    """Give the first of them codes, or note that it is better without; seconds of work.

    Returns:
        Whether there was anything to do here: not when another process is at it, or the segment is damaged.

    Raises:
        CollectionGone: the collection was deleted.
    """
    with index.alone(_LOCK) as is_alone:
        found = uncoded(index) if is_alone else []
        return bool(found) and _give(index, found[0])


def _give(index: CollectionIndex, segment: SegmentFile) -> bool:
    try:
        made = short_codes.built(*segment_files.load(index.segments, segment).content())
    except SegmentCorrupt:
        with index.connection() as connection:
            is_live = segment in database.manifest(connection)[1]
        if is_live:  # and was not merged meanwhile
            index.note_damage()
        return not is_live
    with index.publishing() as connection:
        live = database.manifest(connection)[1]
        if segment not in live:
            return True
        if made is None:
            database.keep_exact(connection, segment.name)
            return True
        new = segment_files.write_index(index.segments, made, int(short_codes.refined(made).k_factor))
        with database.transaction(connection):
            database.replace_segments(connection, [segment.name], [new])
        segment_files.sweep(index.segments, {one.name for one in live} - {segment.name} | {new.name})
    return True
