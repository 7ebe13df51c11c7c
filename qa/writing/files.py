"""Files to translate: their words out, the translated words in, in a process of its own, within limits.

Whatever a hostile file does to a parser, it does to the child,
`python -m qa.writing.files read|write NAME`. All goes through its standard input and output, so that no copy of a
file that is stored encrypted lies anywhere.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath

from models_service.sealed import files
from models_service.sealed.feeding import run_fed
from qa.encodings import NotText, decode
from qa.html_text import declared_encoding
from qa.reading import CPU_SECONDS, WALL_SECONDS, limit_itself
from qa.writing.blocks import Format
from qa.writing.docx_texts import Docx, DocxProblem
from qa.writing.subtitles import wrapped

MAX_CHARACTERS = 5_000_000
FORMATS: dict[str, Format] = {
    ".txt": "text", ".text": "text", ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html",
    ".srt": "srt", ".docx": "html",
}
"""By the ending of a file's name, as what its words are translated."""
_REFUSED = 3
_LENGTH_BYTES = 8
_META = re.compile(r"(<meta[^>]{0,200}charset\s*=\s*[\"']?)[\w-]{2,40}", re.IGNORECASE)


class FileProblem(ValueError):
    """A file that cannot be translated: unsupported, empty, binary, encrypted, broken, too_large or too_hard."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class FileWords:
    format: Format
    text: str


def format_of(name: str) -> Format:
    """As what a file of this name is translated; FileProblem when files of its type are not."""
    found = FORMATS.get(PurePath(name).suffix.lower())
    if found is None:
        raise FileProblem("unsupported")
    return found


def read(file: Path, name: str) -> FileWords:
    """The words of a file."""
    format = format_of(name)
    return FileWords(format, _run("read", file, name).decode("utf-8"))


def write(file: Path, name: str, translation: str, target: Path) -> None:
    """The file with its words translated, at `target`."""
    fresh = target.with_name(f".{target.name}.new")
    files.write_bytes(fresh, _run("write", file, name, translation.encode("utf-8")))
    fresh.replace(target)


def _run(what: str, file: Path, name: str, words: bytes = b"") -> bytes:
    command = [sys.executable, "-m", "qa.writing.files", what, name]
    try:
        done = run_fed(command, file, cwd=Path(__file__).parents[2], timeout=WALL_SECONDS,
                       before=len(words).to_bytes(_LENGTH_BYTES, "big") + words)
    except subprocess.TimeoutExpired:
        raise FileProblem("too_hard") from None
    if done.returncode == _REFUSED:
        raise FileProblem(json.loads(done.stdout))
    if done.returncode:
        if done.returncode < 0 or b"MemoryError" in done.stderr:
            raise FileProblem("too_hard")
        raise RuntimeError(f"{what} of {name} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _words(data: bytes, name: str) -> str:
    if not data.strip():
        raise FileProblem("empty")
    if PurePath(name).suffix.lower() == ".docx":
        text = "\n".join(f"<p>{line}</p>" for line in Docx(data).lines)
    else:
        declared = declared_encoding(data) if format_of(name) == "html" else None
        text = _decoded(data, declared)
    if len(text) > MAX_CHARACTERS:
        raise FileProblem("too_large")
    if not any(map(str.isalpha, text)):
        raise FileProblem("empty")
    return text


def _decoded(data: bytes, declared: str | None) -> str:
    """As UTF-8 if it is that, else as a page says of itself, else as it seems."""
    for encoding in ("utf-8-sig", declared):
        try:
            if encoding and b"\x00" not in data:
                return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return decode(data)


def _file(data: bytes, name: str, words: str) -> bytes:
    ending = PurePath(name).suffix.lower()
    if ending == ".docx":
        lines = [line.removeprefix("<p>").removesuffix("</p>") for line in words.split("\n")]
        return Docx(data).written(lines)
    if ending == ".srt":
        words = wrapped(words)
    if format_of(name) == "html":
        words = _META.sub(r"\1utf-8", words, count=1)
    return words.encode("utf-8")


def main(what: str, name: str) -> int:
    limit_itself(CPU_SECONDS)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a parser prints is no part of the result
    words = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(_LENGTH_BYTES), "big"))
    data = sys.stdin.buffer.read()
    with out:
        try:
            out.write(_words(data, name).encode("utf-8") if what == "read" else
                      _file(data, name, words.decode("utf-8")))
        except (FileProblem, DocxProblem, NotText) as problem:
            out.write(json.dumps(getattr(problem, "code", "binary")).encode())
            return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
