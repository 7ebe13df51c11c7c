"""The knowledge graph's folder: what was imported, as numbered generations that are published atomically.

    current                 the number of the generation that is read
    generations/7/store/    RDF (pyoxigraph); each imported file is a named graph of it
    generations/7/names.sqlite   what things are called (qa/graph_names.py)
    generations/7/about.json     its sources and counts

An import builds the next generation beside the current one (the store's large files are hard links, so this costs no
copy) and then replaces `current`: whatever is killed when, the graph is either the old one or the new one. Any number
of processes read; those that write take turns. A reader that opened a generation may use it while the next one is
published, and is given the new one by the next `open()`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as rdf

from qa import graph_files, graph_names
from qa.durable import sync_folder
from qa.graph_files import BadGraphFile, GraphFile, Limits, Progress
from qa.graph_reading import Graph

__all__ = [
    "BadGraphFile", "Counts", "Graph", "GraphDamaged", "GraphFile", "GraphStore", "Limits", "Progress", "Source",
]

_CURRENT, _LOCK, _GENERATIONS = "current", "write.lock", "generations"
_STORE, _NAMES, _ABOUT = "store", "names.sqlite", "about.json"
_BUILDING = ".building-"
_OPEN_ATTEMPTS = 5


class GraphDamaged(Exception):
    """The published generation cannot be read; `args[0]` says what to do."""


@dataclass(frozen=True)
class Source:
    """An imported file; `imported_at` is ISO 8601 in UTC, `size` the bytes of the file as it was given."""

    name: str
    triples: int
    size: int
    imported_at: str


@dataclass(frozen=True)
class Counts:
    """What is in the graph; an entity is an address that statements are about."""

    triples: int = 0
    entities: int = 0
    predicates: int = 0
    sources: int = 0


@dataclass(frozen=True)
class _About:
    sources: tuple[Source, ...] = ()
    counts: Counts = field(default_factory=Counts)


class GraphStore:
    """The graph in `folder`, which need not exist: it is empty then. One object may serve many threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._opened: tuple[str, Graph] | None = None

    # --- reading ---

    def open(self) -> Graph | None:
        """The current generation; None when nothing is imported. Cheap when it has not changed since.

        Raises:
            GraphDamaged: see there.
        """
        number = self._number()
        opened = self._opened
        if opened and opened[0] == number:
            return opened[1]
        with self._lock:
            for attempt in range(_OPEN_ATTEMPTS):
                number = self._number()
                if number is None or not self._about(number).sources:
                    self._opened = None
                    return None
                folder = self._generation(number)
                try:
                    graph = Graph(rdf.Store.read_only(str(folder / _STORE)), graph_names.Names(folder / _NAMES))
                except OSError as error:
                    if attempt < _OPEN_ATTEMPTS - 1 and number != self._number():
                        continue  # two were published since the number was read
                    raise _damaged(folder, error) from error
                self._opened = (number, graph)
                return graph
        raise AssertionError("the last attempt returns or raises")

    def sources(self) -> list[Source]:
        """What was imported, in the order of its names. Raises GraphDamaged."""
        return list(self._about(self._number()).sources)

    def counts(self) -> Counts:
        """Raises GraphDamaged."""
        return self._about(self._number()).counts

    # --- writing ---

    def import_sources(
        self, files: Sequence[GraphFile], *, progress: Callable[[Progress], None] = lambda progress: None,
        limits: Limits | None = None,
    ) -> list[Source]:
        """Import the files; one whose name is there already replaces what was imported under it. All of them or none.

        Args:
            progress: told every few thousand triples; whatever it raises stops the import, and nothing has changed.

        Raises:
            BadGraphFile: one of them cannot be imported.
            OSError: the disk is full, or a file cannot be read.
        """
        return self._write({file.name: file for file in files}, progress, limits or Limits())

    def remove(self, name: str) -> None:
        """Take out what was imported under this name; a name that is not there is fine. Raises GraphDamaged."""
        if any(source.name == name for source in self.sources()):
            self._write({name: None}, lambda progress: None, Limits())

    def _write(
        self, changes: dict[str, GraphFile | None], progress: Callable[[Progress], None], limits: Limits
    ) -> list[Source]:
        (self.folder / _GENERATIONS).mkdir(parents=True, exist_ok=True)
        with self._writing():
            number = self._number()
            self._sweep(number)
            building = self.folder / _GENERATIONS / f"{_BUILDING}{uuid.uuid4().hex}"
            building.mkdir()
            try:
                kept = {source.name: source for source in self._about(number).sources}
                self._copy_store(number, building / _STORE)
                store = rdf.Store(building / _STORE)
                imported = self._fill(store, kept, changes, progress, limits)
                store.optimize()
                store.flush()
                triples, entities = graph_names.build(building / _NAMES, store)
                predicates = len(graph_names.Names(building / _NAMES).predicates())
                del store  # before anything may delete its files
                sources = tuple(sorted(kept.values(), key=lambda source: source.name))
                self._publish(building, number, _About(sources, Counts(triples, entities, predicates, len(sources))))
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        return imported

    @staticmethod
    def _fill(
        store: rdf.Store, kept: dict[str, Source], changes: dict[str, GraphFile | None],
        progress: Callable[[Progress], None], limits: Limits,
    ) -> list[Source]:
        """Make the changes in the store and in `kept`; what was imported."""
        imported = []
        for name, file in changes.items():
            graph = graph_files.graph_name(name)
            if kept.pop(name, None) is not None:
                store.remove_graph(graph)
            if file is None:
                continue
            store.bulk_extend(graph_files.quads(file, limits, progress))
            triples = sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
            kept[name] = Source(name, triples, file.path.stat().st_size, datetime.now(UTC).isoformat("T", "seconds"))
            imported.append(kept[name])
        return imported

    def _copy_store(self, number: str | None, target: Path) -> None:
        if number is None:
            return
        try:
            rdf.Store.read_only(str(self._generation(number) / _STORE)).backup(target)
        except OSError as error:
            raise _damaged(self._generation(number), error) from error

    def _publish(self, building: Path, number: str | None, about: _About) -> None:
        (building / _ABOUT).write_text(json.dumps(asdict(about), ensure_ascii=False), encoding="utf-8")
        for file in (building / _ABOUT, building / _NAMES):
            with file.open("rb") as written:
                os.fsync(written.fileno())
        sync_folder(building / _STORE)
        sync_folder(building)
        following = str(int(number or 0) + 1)
        building.rename(self._generation(following))
        sync_folder(self.folder / _GENERATIONS)
        pointer = self.folder / f"{_CURRENT}.next"
        with pointer.open("w") as file:
            file.write(following)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self.folder / _CURRENT)
        sync_folder(self.folder)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The writers' lock, which the system releases when its holder is killed."""
        with (self.folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _sweep(self, number: str | None) -> None:
        """Delete what a killed writer left, and all generations but the current one and the one before."""
        kept = {number, str(int(number) - 1)} if number else set()
        for folder in (self.folder / _GENERATIONS).iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _number(self) -> str | None:
        try:
            return (self.folder / _CURRENT).read_text().strip()
        except FileNotFoundError:
            return None

    def _generation(self, number: str) -> Path:
        return self.folder / _GENERATIONS / number

    def _about(self, number: str | None) -> _About:
        if number is None:
            return _About()
        try:
            about = json.loads((self._generation(number) / _ABOUT).read_text(encoding="utf-8"))
            return _About(tuple(Source(**source) for source in about["sources"]), Counts(**about["counts"]))
        except FileNotFoundError:
            if (newer := self._number()) != number:
                return self._about(newer)
            raise _damaged(self._generation(number), "about.json is missing") from None
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(self._generation(number), error) from error


def _damaged(folder: Path, reason: object) -> GraphDamaged:
    return GraphDamaged(
        f"the knowledge graph in {folder} cannot be read ({reason}): delete the folder {folder.parent.parent} and "
        "import its files again"
    )
