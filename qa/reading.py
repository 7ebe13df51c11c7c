"""Read an untrusted file in a process of its own: parse it, cut it into passages, within limits of time and memory.

Whatever a hostile file does to a parser, it does to the child, `python -m qa.reading NAME FOLDER SECONDS`. It gets
the file's content by its standard input, so that no copy of a file that is stored encrypted lies anywhere.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path

from models_service.sealed.feeding import run_fed
from qa.documents import DocumentError, parse
from qa.passages import Passage, split
from qa.structure import Structure

CPU_SECONDS = 40
"""50 MB of ordinary text take about 5."""
WALL_SECONDS = 90
MEMORY_BYTES = 3 * 1024**3
"""Of address space. 50 MB of Chinese text take a third of it."""

_RESULT, _TEXT, _PASSAGES, _STRUCTURE = "result.json", "text.txt", "passages.bin", "structure.json"
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


def read(file: Path, name: str, cpu_seconds: int = CPU_SECONDS) -> ReadDocument:
    """Parse the file, whose type the ending of `name` tells, and cut it.

    Raises:
        DocumentError: as `qa.documents.parse` says; also "too_hard" when it takes more time or memory than it may.
        FileNotFoundError: there is no file.
        SealedError: it is encrypted and cannot be opened.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    with tempfile.TemporaryDirectory(prefix="wenda-reading-") as folder:
        command = [sys.executable, "-m", "qa.reading", name, folder, str(cpu_seconds)]
        try:
            done = run_fed(command, file, cwd=Path(__file__).parents[1], timeout=WALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise _too_hard(name) from None
        return _result(Path(folder), name, done)


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


def limit_itself(cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write_result(folder: Path, values: dict[str, str]) -> None:
    (folder / _RESULT).write_text(json.dumps(values), encoding="utf-8")


def main(name: str, folder: Path, cpu_seconds: int) -> int:
    limit_itself(cpu_seconds)
    try:
        parsed = parse(sys.stdin.buffer.read(), name)
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
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
