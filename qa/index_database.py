"""The SQLite file of one collection's index: documents, passages, their words (FTS5) and the manifest of segments.

The index's schema and plain reads and writes; transactions and files are the index's business.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_service.registry import STARTER_ENCODER
from qa.segments import SegmentFile
from qa.terms import terms

DATABASE_NAME = "index.sqlite"
_BUSY_SECONDS = 30
_MAX_QUERY_TERMS = 64
_MOST_MATCHES = 20_000
"""Of all terms of a query together; SQLite scores each, which takes a few microseconds."""
_TOKENIZER = "porter unicode61 remove_diacritics 2"
_VARIABLES = 900
_TITLE_WEIGHT, _TEXT_WEIGHT = 0.5, 1.0

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,
                                  next_passage INTEGER NOT NULL);
INSERT OR IGNORE INTO state (one, generation, next_passage) VALUES (1, 0, 1);
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, title TEXT NOT NULL, media_type TEXT NOT NULL,
                                      passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, document TEXT NOT NULL, start INTEGER NOT NULL,
                                     "end" INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (title, text, tokenize = '{_TOKENIZER}');
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (words, 'row');
CREATE TABLE IF NOT EXISTS segments (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, vectors INTEGER NOT NULL);
"""
_VERSION = 2
"""Of the schema, kept in the file. 1: the state names the encoder that the vectors are of. 2: segments tell whether
they have short codes."""


@dataclass(frozen=True)
class IndexedDocument:
    """What the index knows of a document; `id` is the document store's."""

    id: str
    title: str
    media_type: str


@dataclass(frozen=True)
class IndexedPassage:
    """A passage as found: `text` is characters `start` to `end` of its document. `id` is never used again."""

    id: int
    document: IndexedDocument
    start: int
    end: int
    text: str


@contextmanager
def connect(folder: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection for one call, in autocommit. Opening costs a fraction of a millisecond and is safe in any thread.

    Raises:
        sqlite3.OperationalError: there is no index (and `create` is not set).
    """
    path = (folder / DATABASE_NAME).absolute()
    uri = f"{path.as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        if create:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        if connection.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            _bring_up_to_date(connection)
        yield connection
    finally:
        connection.close()


def copy(connection: sqlite3.Connection, folder: Path) -> None:
    """The database as it is now, as one file in another folder."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as target:
        connection.backup(target)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the writes inside, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    with transaction(connection):  # another process may have been faster
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < 1:
            connection.execute("ALTER TABLE state ADD COLUMN encoder TEXT NOT NULL DEFAULT ''")
            connection.execute("ALTER TABLE state ADD COLUMN dimension INTEGER NOT NULL DEFAULT 0")
            # before encoders were named there was one alone
            connection.execute(
                "UPDATE state SET encoder = ? WHERE EXISTS (SELECT 1 FROM segments)", (STARTER_ENCODER,)
            )
        if version < 2:
            connection.execute("ALTER TABLE segments ADD COLUMN factor INTEGER")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def encoder(connection: sqlite3.Connection) -> tuple[str, int]:
    """Name and dimension of what made the vectors; "" and 0 where they are not known."""
    return connection.execute("SELECT encoder, dimension FROM state").fetchone()


def set_encoder(connection: sqlite3.Connection, name: str, dimension: int) -> None:
    """Inside a transaction: what the vectors are of from now on."""
    connection.execute("UPDATE state SET encoder = ?, dimension = ?", (name, dimension))


def generation(connection: sqlite3.Connection) -> int:
    """Counts the changes of the manifest."""
    return connection.execute("SELECT generation FROM state").fetchone()[0]


def manifest(connection: sqlite3.Connection) -> tuple[int, list[SegmentFile]]:
    """The generation and its segments, of one moment."""
    rows = connection.execute(
        "SELECT generation, name, checksum, vectors, factor FROM state LEFT JOIN segments ORDER BY segments.rowid"
    ).fetchall()
    return rows[0][0], [SegmentFile(*row[1:]) for row in rows if row[1] is not None]


def reserve_passages(connection: sqlite3.Connection, count: int) -> int:
    """The first of `count` fresh passage ids. None is ever given twice: an old vector cannot name a new passage."""
    with transaction(connection):
        first = connection.execute("SELECT next_passage FROM state").fetchone()[0]
        connection.execute("UPDATE state SET next_passage = next_passage + ?", (count,))
    return first


def replace_segments(connection: sqlite3.Connection, old: Iterable[str], new: Sequence[SegmentFile]) -> None:
    """Inside a transaction: change the manifest, which starts a new generation."""
    connection.executemany("DELETE FROM segments WHERE name = ?", [(name,) for name in old])
    connection.executemany("INSERT INTO segments (name, checksum, vectors, factor) VALUES (?, ?, ?, ?)",
                           [(s.name, s.checksum, s.vectors, s.factor) for s in new])
    connection.execute("UPDATE state SET generation = generation + 1")


def keep_exact(connection: sqlite3.Connection, segment: str) -> None:
    """Note that short codes would be no gain for this segment."""
    connection.execute("UPDATE segments SET factor = 0 WHERE name = ?", (segment,))


def insert_document(
    connection: sqlite3.Connection, document: IndexedDocument, rows: Sequence[tuple[int, int, int, str]]
) -> None:
    """Inside a transaction: add a document and its passages, (id, start, end, text) each."""
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?)", (document.id, document.title, document.media_type, len(rows))
    )
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
        [(i, document.id, start, end, text) for i, start, end, text in rows],
    )
    title = " ".join(terms(document.title))
    connection.executemany(
        "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
        ((i, title, " ".join(terms(text))) for i, _, _, text in rows),
    )


def delete_document(connection: sqlite3.Connection, document_id: str) -> None:
    """Inside a transaction: take a document and its passages out of every search."""
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE document = ?)", (document_id,)
    )
    connection.execute("DELETE FROM passages WHERE document = ?", (document_id,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))


def delete_everything(connection: sqlite3.Connection) -> None:
    """Inside a transaction: no documents, no segments, no encoder; passage ids go on where they were."""
    for table in ("words", "passages", "documents", "segments"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("UPDATE state SET generation = generation + 1, encoder = '', dimension = 0")


def read_passages(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, IndexedPassage]:
    """Those of the passages that (still) exist, by id."""
    found = {}
    for chunk in _chunks(ids):
        rows = connection.execute(
            "SELECT p.id, p.start, p.\"end\", p.text, d.id, d.title, d.media_type FROM passages p "
            f"JOIN documents d ON d.id = p.document WHERE p.id IN ({','.join('?' * len(chunk))})",
            chunk,
        )
        for passage, start, end, text, document, title, media_type in rows:
            found[passage] = IndexedPassage(passage, IndexedDocument(document, title, media_type), start, end, text)
    return found


def want(connection: sqlite3.Connection, documents: Iterable[str]) -> None:
    """Keep which documents this connection is to search; for `existing` and `search_words` with `wanted`."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (document TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((document,) for document in documents))


_WANTED = "document IN (SELECT document FROM wanted)"


def existing(connection: sqlite3.Connection, ids: Sequence[int], *, wanted: bool = False) -> set[int]:
    """Those of the passage ids that are (still) in use; of the documents that are wanted alone."""
    found: set[int] = set()
    only = f" AND {_WANTED}" if wanted else ""
    for chunk in _chunks(ids):
        marks = ",".join("?" * len(chunk))
        rows = connection.execute(f"SELECT id FROM passages WHERE id IN ({marks}){only}", chunk)
        found.update(row[0] for row in rows)
    return found


def passage_ids(connection: sqlite3.Connection) -> np.ndarray:
    """Those of all passages, int64, in their order."""
    return np.fromiter((row[0] for row in connection.execute("SELECT id FROM passages ORDER BY id")), np.int64)


def around(connection: sqlite3.Connection, passage: int) -> tuple[str, str]:
    """The texts of the passages before and after this one in its document; "" where there is none."""
    row = connection.execute("SELECT document, start FROM passages WHERE id = ?", (passage,)).fetchone()
    if row is None:
        return "", ""
    before, after = (
        connection.execute(
            f"SELECT text FROM passages WHERE document = ? AND start {sign} ? ORDER BY start {order} LIMIT 1", row
        ).fetchone()
        for sign, order in (("<", "DESC"), (">", "ASC"))
    )
    return before[0] if before else "", after[0] if after else ""


def every_passage(connection: sqlite3.Connection) -> Iterator[IndexedPassage]:
    """All passages in the order of their documents."""
    rows = connection.execute(
        'SELECT p.id, p.start, p."end", p.text, d.id, d.title, d.media_type FROM passages p '
        "JOIN documents d ON d.id = p.document ORDER BY d.id, p.start"
    )
    for passage, start, end, text, document, title, media_type in rows:
        yield IndexedPassage(passage, IndexedDocument(document, title, media_type), start, end, text)


def search_words(
    connection: sqlite3.Connection, query: str, k: int, *, wanted: bool = False
) -> list[tuple[int, float]]:
    """The k best passages by BM25 as (id, score), best first; any of the query's terms may match."""
    telling = _telling(connection, list(dict.fromkeys(terms(query)))[:_MAX_QUERY_TERMS])
    if not telling:
        return []
    match = " OR ".join(f'"{term}"' for term in telling)
    only = f" AND rowid IN (SELECT id FROM passages WHERE {_WANTED})" if wanted else ""
    rows = connection.execute(
        f"SELECT rowid, bm25(words, ?, ?) AS cost FROM words WHERE words MATCH ?{only} ORDER BY cost LIMIT ?",
        (_TITLE_WEIGHT, _TEXT_WEIGHT, match, k),
    )
    return [(passage, -cost) for passage, cost in rows]


def _telling(connection: sqlite3.Connection, wanted: Sequence[str]) -> list[str]:
    """The rarest terms, as many as stand in _MOST_MATCHES passages together; a common word adds time, not order."""
    chosen: list[str] = []
    matches = 0
    for term, count in sorted(passage_frequencies(connection, wanted).items(), key=lambda pair: pair[1]):
        matches += count
        if chosen and matches > _MOST_MATCHES:
            break
        chosen.append(term)
    return chosen


def passage_frequencies(connection: sqlite3.Connection, wanted: Sequence[str]) -> dict[str, int]:
    """In how many passages each term stands in any of its forms; terms that stand in none are left out."""
    stems = _stems(wanted)
    counts: dict[str, int] = {}
    for chunk in _chunks(list(set(stems.values()))):
        marks = ",".join("?" * len(chunk))
        rows = connection.execute(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", chunk)
        counts.update(rows.fetchall())
    return {term: counts[stem] for term, stem in stems.items() if stem in counts}


def stems_like(connection: sqlite3.Connection, stem: str, more_or_less: int, most: int) -> dict[str, int]:
    """The index's stems that begin as this one does and are about as long, with how many passages hold them."""
    rows = connection.execute(
        "SELECT term, doc FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? LIMIT ?",
        (stem[0], chr(ord(stem[0]) + 1), len(stem) - more_or_less, len(stem) + more_or_less, most),
    )
    return dict(rows.fetchall())


def stem_of(word: str) -> str:
    """As the index's tokenizer writes it."""
    return _stems([word]).get(word, word)


def written(connection: sqlite3.Connection, stem: str) -> list[str]:
    """The words of one passage's text that have this stem."""
    row = connection.execute("SELECT text FROM words WHERE words MATCH ? LIMIT 1", (f'"{stem}"',)).fetchone()
    if row is None:
        return []
    return [word for word, own in _stems(list(dict.fromkeys(row[0].split()))).items() if own == stem]


def _stems(wanted: Sequence[str]) -> dict[str, str]:
    """Each term as the index's own tokenizer writes it; only SQLite can say."""
    if not wanted:
        return {}
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE words USING fts5 (term, tokenize = '{_TOKENIZER}')")
        scratch.execute("CREATE VIRTUAL TABLE tokens USING fts5vocab (words, 'instance')")
        scratch.executemany("INSERT INTO words (rowid, term) VALUES (?, ?)", enumerate(wanted))
        return {wanted[row]: stem for row, stem in scratch.execute("SELECT doc, term FROM tokens")}


def document_ids(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT id FROM documents")}


def count_passages(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT coalesce(sum(passages), 0) FROM documents").fetchone()[0]


def _chunks(values: Sequence) -> Iterator[list]:
    """SQLite takes a limited number of variables in one statement."""
    for i in range(0, len(values), _VARIABLES):
        yield list(values[i : i + _VARIABLES])
