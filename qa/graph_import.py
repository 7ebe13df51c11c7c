"""Import one file into the knowledge graph, or take one out, in a process of its own.

`python -m qa.graph_import GRAPH FOLDER NAME [FILE]`: without FILE it is taken out; what the process has to say it
writes into FOLDER. Whatever a hostile file does to the parser it does to this process (triples nested by the thousand
crash it), and whoever started it may kill it at any moment: the graph is then the one before, or the one after.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.graph import BadGraphFile, GraphFile, GraphStore, Progress

_PROGRESS, _RESULT = "progress.json", "result.json"
CPU_SECONDS = 3600
"""Five million triples take a tenth of it."""


@dataclass(frozen=True)
class Step:
    """How far the file has been read; bytes are of the file as it came."""

    triples: int
    bytes_done: int


@dataclass(frozen=True)
class Outcome:
    """How it ended: `triples` when the graph has the file, else why it has not (as `BadGraphFile` says)."""

    triples: int | None = None
    reason: str = ""
    detail: str = ""
    line: int | None = None


def command(graph: Path, folder: Path, name: str, file: Path | None) -> list[str]:
    """What starts the process. Call `clear(folder)` before."""
    words = [sys.executable, "-m", "qa.graph_import", str(graph.absolute()), str(folder.absolute()), name]
    return [*words, str(file.absolute())] if file else words


def clear(folder: Path) -> None:
    """Forget what an earlier process said."""
    for name in (_PROGRESS, _RESULT):
        (folder / name).unlink(missing_ok=True)


def step(folder: Path) -> Step | None:
    """What the process said last, None before it has said anything."""
    told = _read(folder / _PROGRESS)
    return None if told is None else Step(**told)


def outcome(folder: Path) -> Outcome | None:
    """How it ended; None when it did not get so far."""
    told = _read(folder / _RESULT)
    return None if told is None else Outcome(**told)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None


def _write(file: Path, values: dict[str, Any]) -> None:
    """Whole or not at all, for it is read at any moment."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(values), encoding="utf-8")
    fresh.replace(file)


def main(graph: Path, folder: Path, name: str, file: Path | None = None) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    store = GraphStore(graph)
    if file is None:
        store.remove(name)
        _write(folder / _RESULT, {"triples": 0})
        return 0

    def tell(progress: Progress) -> None:
        _write(folder / _PROGRESS, {"triples": progress.triples, "bytes_done": progress.bytes_read})

    try:
        (source,) = store.import_sources([GraphFile(name, file)], progress=tell)
    except BadGraphFile as error:
        _write(folder / _RESULT, {"reason": error.reason, "detail": error.detail, "line": error.line})
    else:
        _write(folder / _RESULT, {"triples": source.triples})
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(Path, sys.argv[4:])))
