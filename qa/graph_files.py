"""RDF files to quads of one named graph: format by content and name, limits, progress, errors that name the line.

Nothing is fetched: a JSON-LD context that lies elsewhere is an error.
"""

from __future__ import annotations

import bz2
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

import pyoxigraph as rdf

REPORTED_EVERY = 5_000
"""Triples."""
SUFFIXES = (".ttl", ".nt", ".nq", ".trig", ".rdf", ".owl", ".xml", ".jsonld", ".json")
"""Each may be followed by one of PACKED."""
PACKED = (".gz", ".bz2")
_FORMATS = {
    ".ttl": rdf.RdfFormat.TURTLE, ".nt": rdf.RdfFormat.N_TRIPLES, ".nq": rdf.RdfFormat.N_QUADS,
    ".trig": rdf.RdfFormat.TRIG, ".rdf": rdf.RdfFormat.RDF_XML, ".owl": rdf.RdfFormat.RDF_XML,
    ".xml": rdf.RdfFormat.RDF_XML, ".jsonld": rdf.RdfFormat.JSON_LD, ".json": rdf.RdfFormat.JSON_LD,
}
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZ"
_PLACE = re.compile(r"^(?:Parser )?error at line \d+ (?:between columns \d+ and \d+|column \d+): ", re.IGNORECASE)
_QUADS_LINE = re.compile(rb"(?m)^<[^>\n]*> <[^>\n]*> (?:<[^>\n]*>|\"[^\n]*\") <[^>\n]*> \.\s*$")
_GRAPH = "urn:wenda:graph:"


@dataclass(frozen=True)
class GraphFile:
    """A file to import; `name` is what its source is called from then on, such as `people.ttl`."""

    name: str
    path: Path


@dataclass(frozen=True)
class Limits:
    most_bytes: int = 4 * 1024**3
    """Of one file, unpacked."""
    most_triples: int = 5_000_000
    """Of one file."""


@dataclass(frozen=True)
class Progress:
    """How far a file has been read; bytes are of the file as it lies on the disk, packed or not."""

    name: str
    triples: int
    bytes_read: int
    bytes_total: int


class BadGraphFile(ValueError):
    """A file cannot be imported. `name` is the file, `line` and `column` count from 1 (None where the format has
    none), `reason` one of `empty`, `binary`, `syntax`, `remote_context`, `too_large`, `damaged`; the message is in
    English and says all of it."""

    def __init__(self, name: str, reason: str, message: str, line: int | None = None, column: int | None = None):
        place = f", line {line}" if line else ""
        super().__init__(f"{name}{place}: {message}")
        self.name, self.reason, self.detail, self.line, self.column = name, reason, message, line, column


def ending(name: str) -> str:
    """The ending that tells how a file is written, without that of its packing: ".nt" of "people.nt.gz"."""
    plain = name.lower()
    for packed in PACKED:
        plain = plain.removesuffix(packed)
    return Path(plain).suffix


def graph_name(source: str) -> rdf.NamedNode:
    """The named graph that holds what the source of this name says."""
    return rdf.NamedNode(_GRAPH + quote(source, safe=""))


def source_name(graph: str) -> str:
    """The name of the source whose named graph has this address."""
    return unquote(graph.removeprefix(_GRAPH))


def quads(file: GraphFile, limits: Limits, progress: Callable[[Progress], None]) -> Iterator[rdf.Quad]:
    """What the file states, in its source's graph; blank nodes get new names, so that two files share none.

    Raises:
        BadGraphFile: see there.
        OSError: the file cannot be read.
    """
    total = file.path.stat().st_size
    graph, triples = graph_name(file.name), 0
    with file.path.open("rb") as raw:
        reading = _Counted(raw)
        source, form = _opened(file, reading, limits)
        try:
            for quad in rdf.parse(source, format=form, rename_blank_nodes=True):
                triples += 1
                if triples > limits.most_triples:
                    raise BadGraphFile(file.name, "too_large", f"more than {limits.most_triples:,} triples")
                if triples % REPORTED_EVERY == 0:
                    progress(Progress(file.name, triples, reading.count, total))
                yield rdf.Quad(quad.subject, quad.predicate, quad.object, graph)
        except SyntaxError as error:
            raise _syntax(file.name, error) from None
    if not triples:
        raise BadGraphFile(file.name, "empty", "no statement in it")
    progress(Progress(file.name, triples, total, total))


def _opened(file: GraphFile, raw: IO[bytes], limits: Limits) -> tuple[IO[bytes], rdf.RdfFormat]:
    head = raw.read(2)
    raw.seek(0)
    unpacked: IO[bytes] = raw
    if head in (_GZIP, _BZIP2):
        unpacked = gzip.GzipFile(fileobj=raw) if head == _GZIP else bz2.BZ2File(raw)
    limited = io.BufferedReader(_Limited(unpacked, file.name, limits.most_bytes), 64 * 1024)
    return limited, _format(file.name, limited.peek(4096))


def _format(name: str, head: bytes) -> rdf.RdfFormat:
    """By what stands in it where that is plain, else by its name; N-Triples are Turtle as well."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise BadGraphFile(name, "empty", "no statement in it")
    if b"\x00" in head:
        raise BadGraphFile(name, "binary", "this is not a text file")
    known = _FORMATS.get(ending(name))
    if start.startswith((b"{", b"[{", b"[ {", b"[\n")) and known != rdf.RdfFormat.TRIG:
        return rdf.RdfFormat.JSON_LD
    if start.startswith((b"<?xml", b"<rdf:RDF", b"<!DOCTYPE rdf")):
        return rdf.RdfFormat.RDF_XML
    if known and known not in (rdf.RdfFormat.JSON_LD, rdf.RdfFormat.RDF_XML):
        return known
    return rdf.RdfFormat.N_QUADS if _QUADS_LINE.search(head) else rdf.RdfFormat.TURTLE


def _syntax(name: str, error: SyntaxError) -> BadGraphFile:
    said = _PLACE.sub("", str(error.args[0])).strip()
    if "LoadDocumentCallback" in said:
        return BadGraphFile(name, "remote_context", "its @context lies at another address, and nothing is fetched: "
                                                    "write the context into the file")
    return BadGraphFile(name, "syntax", said, error.lineno, error.offset)


class _Counted(io.RawIOBase):
    """Counts the bytes that have been read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self.count = raw, 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.count = self._raw.seek(offset, whence)
        return self.count

    def readinto(self, buffer: Any) -> int:
        size = self._raw.readinto(buffer)
        self.count += size
        return size


class _Limited(io.RawIOBase):
    """Ends with an error where more than so many bytes come out of it: a small packed file may hold terabytes; and
    where the packing is damaged."""

    def __init__(self, raw: IO[bytes], name: str, most: int) -> None:
        self._raw, self._name, self._most, self._count = raw, name, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._raw.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            if getattr(error, "errno", None) is not None:  # the disk's error, not the packing's
                raise
            raise BadGraphFile(self._name, "damaged", f"the packed file is damaged ({error})") from None
        self._count += len(data)
        if self._count > self._most:
            raise BadGraphFile(self._name, "too_large", f"more than {self._most:,} bytes when it is unpacked")
        buffer[: len(data)] = data
        return len(data)
