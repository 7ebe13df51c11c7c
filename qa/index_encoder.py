"""Which encoder an index's vectors are of. Vectors of two encoders are never put into one index nor compared.

Reads and writes the state row of the index's database; transactions are the index's business.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from qa import index_database as database


@dataclass(frozen=True)
class Encoder:
    """`name` is a model's `NAME@VERSION`, "" when it was not named; `dimension` is 0 until it is known."""

    name: str = ""
    dimension: int = 0

    def fits(self, other: Encoder) -> bool:
        same_name = not self.name or not other.name or self.name == other.name
        return same_name and (not self.dimension or not other.dimension or self.dimension == other.dimension)

    def __str__(self) -> str:
        return (self.name or "of unknown name") + (f" ({self.dimension} numbers a vector)" if self.dimension else "")


class EncoderMismatch(Exception):
    """The index's vectors are of one encoder and those at hand of another. The sentence says what to do."""

    def __init__(self, collection: str, recorded: Encoder, given: Encoder) -> None:
        super().__init__(
            f"The index of collection {collection} was made with the encoder {recorded}; the encoder in use now is "
            f"{given}. Its passages have to be embedded again (`manage.py index mend`; a running site does it by "
            "itself), or go back to the encoder of before (`manage.py models rollback`)."
        )
        self.collection = collection
        self.recorded = recorded
        self.given = given


def recorded(connection: sqlite3.Connection) -> Encoder:
    return Encoder(*database.encoder(connection))


def check(connection: sqlite3.Connection, collection: str, given: Encoder, dimension: int) -> None:
    """Raises EncoderMismatch when `given` cannot search vectors of `dimension` that are in this index."""
    known = recorded(connection)
    if not known.fits(given) or dimension != given.dimension:
        raise EncoderMismatch(collection, Encoder(known.name, dimension), given)


def outdated_segments(connection: sqlite3.Connection, collection: str, document: str, given: Encoder) -> list[str]:
    """What has to go before `given` may add vectors of `document`: nothing where the encoder stays the same.

    Where it changes and no other document is left, all segments, for their passages are deleted ones.

    Raises:
        EncoderMismatch: other documents are there, with vectors of another encoder.
    """
    known = recorded(connection)
    if known.fits(given):
        return []
    if database.document_ids(connection) - {document}:
        raise EncoderMismatch(collection, known, given)
    return [segment.name for segment in database.manifest(connection)[1]]


def record(connection: sqlite3.Connection, given: Encoder) -> None:
    """Inside a transaction that publishes vectors of `given`: keep what is not known yet, or has just changed."""
    known = recorded(connection)
    if known.fits(given):
        given = Encoder(given.name or known.name, given.dimension or known.dimension)
    database.set_encoder(connection, given.name, given.dimension)
