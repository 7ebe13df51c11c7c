"""Holds what belongs to a backup as it is at one moment, in a folder of hard links, while the site goes on.

A stored file is written once and replaced as a whole, so a link keeps what it was, whatever is deleted or replaced
meanwhile. An index is copied as it is published: its database by SQLite's own means, its segments as links.

Not in it: `secret-key` (with it, whoever has the backup could sign in as anybody; without it people sign in anew) and
other secrets, exports of own data (they can be asked for again), uploads under way, Redis, logs, the vectors of
documents that are half read in, and the folder `runs` of trainings from the command line.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from qa.durable import link
from qa.index import CollectionGone, CollectionIndex
from webapp.settings.places import graph_folder

FOLDERS = ("documents", "summaries", "translations", "training", "models", "graph-files")
FILES = ("starter-pages.json", "encryption-keys.json")
INDEXES, GRAPH = "indexes", "graph"
TOP_NAMES = frozenset((*FOLDERS, *FILES, INDEXES, GRAPH))
"""What a restored data folder may get."""
_LEFT_OUT = frozenset(("vectors.part",))
_GRAPH_ATTEMPTS = 5


def hold(target: Path) -> None:
    """Put everything but the database into `target`, a new folder on the data folder's disk."""
    for name in FOLDERS:
        _hold_tree(settings.DATA_DIR / name, target / name)
    for name in FILES:
        with suppress(FileNotFoundError):
            _link(settings.DATA_DIR / name, target / name)
    for folder in (settings.DATA_DIR / INDEXES).glob("[!.]*"):
        with suppress(CollectionGone):
            CollectionIndex(folder).copy(target / INDEXES / folder.name)
    _hold_graph(target / GRAPH)


def files_in(folder: Path) -> Iterator[Path]:
    """All files below, in order; those whose names begin with a dot are in the making and left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


def _hold_tree(source: Path, target: Path) -> None:
    for file in files_in(source):
        if file.name not in _LEFT_OUT:
            with suppress(FileNotFoundError):  # deleted meanwhile
                _link(file, target / file.relative_to(source))


def _hold_graph(target: Path) -> None:
    """The generation that is read; it can vanish only when two more are published while it is linked."""
    source = graph_folder(settings.DATA_DIR)
    for _attempt in range(_GRAPH_ATTEMPTS):
        try:
            number = (source / "current").read_text().strip()
        except FileNotFoundError:
            return
        held = target / "generations" / number
        try:
            for file in (path for path in (source / "generations" / number).rglob("*") if path.is_file()):
                _link(file, held / file.relative_to(source / "generations" / number))
        except FileNotFoundError:
            shutil.rmtree(held, ignore_errors=True)
            continue
        (target / "current").write_text(number)
        return


def _link(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    link(file, target)
