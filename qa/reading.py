"""Read an untrusted file in a process of its own: parse it, cut it into passages, within limits of time and memory.

Whatever a hostile file does to a parser, it does to the child, `python -m qa.reading NAME FOLDER SECONDS PAGES`. It
gets the file's content by its standard input, so that no copy of a file that is stored encrypted lies anywhere.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models_service.sealed.feeding import run_fed
from qa.documents import DocumentError, parse
from qa.passages import Passage, split
from qa.recognition import Recogniser
from qa.structure import Structure

CPU_SECONDS = 40
"""50 MB of ordinary text take about 5."""
WALL_SECONDS = 90
PAGE_CPU_SECONDS = 120
"""More for each page whose text is recognised; a page full of text takes about 10."""
PAGE_WALL_SECONDS = 300
MEMORY_BYTES = 3 * 1024**3
"""Of address space. 50 MB of Chinese text take a third of it."""

_RESULT, _TEXT, _PASSAGES, _STRUCTURE = "result.json", "text.txt", "passages.bin", "structure.json"
_PROGRESS = "progress.json"
_COMPUTED_BY_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Each thread of theirs would take address space at once, which is limited."""
_REFUSED = 3
"""The child's exit status when the file cannot become a document; `_RESULT` says why."""


@dataclass(frozen=True)
class ReadDocument:
    """A document's text, the passages that cut it, and where its pages and headings are."""

    title: str
    media_type: str
    text: str
    passages: list[Passage]
    structure: Structure


def read(
    file: Path, name: str, cpu_seconds: int = CPU_SECONDS, *, most_recognised: int = 0,
    look: Callable[[int, int], None] = lambda done, of: None,
) -> ReadDocument:
    """Parse the file, whose type the ending of `name` tells, and cut it.

    Args:
        most_recognised: so many pages that are pictures are read by text recognition.
        look: called a few times a second meanwhile, with how many such pages are done, and of how many (both 0 until
            that is known). What it raises ends the reading.

    Raises:
        DocumentError: as `qa.documents.parse` says; also "too_hard" when it takes more time or memory than it may.
        FileNotFoundError: there is no file.
        SealedError: it is encrypted and cannot be opened.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    with tempfile.TemporaryDirectory(prefix="wenda-reading-") as folder:
        command = [sys.executable, "-m", "qa.reading", name, folder, str(cpu_seconds), str(most_recognised)]
        watch = _Watch(Path(folder), most_recognised, look)
        try:
            done = run_fed(command, file, cwd=Path(__file__).parents[1], timeout=WALL_SECONDS, look=watch)
        except subprocess.TimeoutExpired:
            raise _too_hard(name) from None
        return _result(Path(folder), name, done)


class _Watch:
    """Reads how far the child is; tells the seconds that it is given for a page that it has begun."""

    def __init__(self, folder: Path, most_pages: int, look: Callable[[int, int], None]) -> None:
        self._file = folder / _PROGRESS
        self._pages_left = most_pages
        self._look = look
        self._known = (0, 0)

    def __call__(self) -> float:
        try:
            done, of = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            done, of = self._known
        is_new, self._known = (done, of) != self._known, (done, of)
        self._look(done, of)
        if not is_new or not self._pages_left:
            return 0.0
        self._pages_left -= 1
        return PAGE_WALL_SECONDS


def _result(folder: Path, name: str, done: subprocess.CompletedProcess[bytes]) -> ReadDocument:
    if done.returncode == _REFUSED:
        raise DocumentError(**json.loads((folder / _RESULT).read_text("utf-8")))
    if done.returncode:
        if done.returncode < 0 or b"MemoryError" in done.stderr:  # a signal: its limits, or a parser that crashed
            raise _too_hard(name)
        raise RuntimeError(f"reading {name} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    with (folder / _TEXT).open(encoding="utf-8", newline="") as text_file:
        text = text_file.read()
    numbers = array("q", (folder / _PASSAGES).read_bytes())
    passages = [Passage(start, end) for start, end in zip(numbers[::2], numbers[1::2], strict=True)]
    structure = Structure.from_json((folder / _STRUCTURE).read_text("utf-8"))
    values = json.loads((folder / _RESULT).read_text("utf-8"))
    return ReadDocument(**values, text=text, passages=passages, structure=structure)


def _too_hard(name: str) -> DocumentError:
    return DocumentError(
        "too_hard",
        f"{name} takes more time or memory to read than a document may. Split it, or save it as plain text.",
    )


def limit_itself(cpu_seconds: int, at_most: int | None = None) -> None:
    """Of this process; the time can be raised later, `at_most` to that many seconds."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, at_most or cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _begin_page(folder: Path, cpu_seconds: int, done: int, of: int) -> None:
    """Tell how far it is, and take the time for one more page."""
    fresh = folder / f".{_PROGRESS}"
    fresh.write_text(json.dumps([done, of]), encoding="utf-8")
    fresh.replace(folder / _PROGRESS)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(time.process_time()) + cpu_seconds + PAGE_CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (min(wanted, hard), hard))


def _write_result(folder: Path, values: dict[str, str]) -> None:
    (folder / _RESULT).write_text(json.dumps(values), encoding="utf-8")


def main(name: str, folder: Path, cpu_seconds: int, most_recognised: int) -> int:
    limit_itself(cpu_seconds, cpu_seconds + most_recognised * PAGE_CPU_SECONDS)
    os.environ.update(dict.fromkeys(_COMPUTED_BY_ONE_THREAD, "1"))
    recogniser = Recogniser(most_recognised, partial(_begin_page, folder, cpu_seconds))
    try:
        parsed = parse(sys.stdin.buffer.read(), name, recogniser)
    except DocumentError as error:
        _write_result(folder, {"code": error.code, "message": error.message})
        return _REFUSED
    (folder / _TEXT).write_bytes(parsed.text.encode("utf-8"))
    passages = split(parsed.text, parsed.structure.rows)
    numbers = array("q", (number for passage in passages for number in (passage.start, passage.end)))
    (folder / _PASSAGES).write_bytes(numbers.tobytes())
    (folder / _STRUCTURE).write_text(parsed.structure.to_json(), encoding="utf-8")
    _write_result(folder, {"title": parsed.title, "media_type": parsed.media_type})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
