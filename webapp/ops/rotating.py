"""Encrypts all stored files with the first key, each by itself and atomically, while the site runs.

It can be stopped at any moment and begun again: a file says in its head which key it is encrypted with, and those
that have the first one already are passed over. So is an empty file, for it may be one that is being written.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.conf import settings

from models_service.sealed import files
from models_service.sealed.container import CHUNK_BYTES
from models_service.sealed.errors import SealedError
from models_service.sealed.keys import keyring
from models_service.sealed.lines import key_of_line, open_line, seal_line
from qa.durable import sync_folder
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import Conflict
from webapp.ops import encryption

PLACES = (
    "documents/*/*/original*", "documents/*/*/text.txt", "documents/*/*/structure.json",
    "summaries/*/*/text.txt", "summaries/*/*/structure.json",
    "translations/*/*/original", "translations/*/*/made",
    "training/datasets/*/*", "training/evaluations/*/examples.jsonl",
    "training/jobs/**/examples-*.jsonl", "training/jobs/**/train.json*", "training/jobs/**/held-out.json*",
    "graph-files/*/original", "exports/*/wenda-export.zip",
)
LINE_PLACES = ("translations/*/*/sentences",)
"""Of files whose lines are encrypted one by one."""


@dataclass
class Rotated:
    """How many files were plain before, had another key, had the first one; and those that could not be opened."""

    key: str
    encrypted: int = 0
    encrypted_anew: int = 0
    had_it: int = 0
    failed: list[str] = field(default_factory=list)
    stopped: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def rotate(progress: Callable[[int, int], None] = lambda done, of: None) -> Rotated:
    """Encrypt everything with the first key. Ctrl-C stops it after the file that it is at.

    Raises:
        Conflict: there is no key, or another rotation runs.
    """
    first = keyring().first
    if first is None:
        raise Conflict("WENDA_ENCRYPTION_KEY is empty, so there is no key to encrypt with. Set it, restart the site, "
                       "then rotate.")
    with _only_one():
        done = Rotated(first.id)
        encryption.note_first_key()
        found = list(_stored())
        try:
            for number, (path, is_lines) in enumerate(found, start=1):
                _one(path, is_lines, done)
                progress(number, len(found))
        except KeyboardInterrupt:
            done.stopped = True
        if not done.stopped and not done.failed:
            encryption.note([first.id])
        record(Action.FILES_ENCRYPTED, f"key {first.id}", name="manage.py", encrypted=done.encrypted,
               encrypted_anew=done.encrypted_anew, failed=len(done.failed), stopped=done.stopped)
    return done


def _stored() -> Iterator[tuple[Path, bool]]:
    """Each file that may hold what people handed in, and whether its lines are encrypted one by one."""
    for patterns, is_lines in ((PLACES, False), (LINE_PLACES, True)):
        for pattern in patterns:
            for path in settings.DATA_DIR.glob(pattern):
                if path.is_file() and not path.name.startswith("."):
                    yield path, is_lines


def _one(path: Path, is_lines: bool, done: Rotated) -> None:
    try:
        was = (_seal_lines if is_lines else _seal)(path, done.key)
    except FileNotFoundError:  # deleted meanwhile
        return
    except SealedError as error:
        done.failed.append(f"{path.relative_to(settings.DATA_DIR)}: {error}")
        return
    if was == "plain":
        done.encrypted += 1
    elif was == "other":
        done.encrypted_anew += 1
    else:
        done.had_it += 1


def _seal(path: Path, key: str) -> Literal["plain", "other", "first"]:
    before = path.stat()
    found = files.key_of(path)
    if found == key or not before.st_size:
        return "first"
    with (_in_place(path, before) as fresh, files.open_read(path) as content,
          files.open_write(fresh, sync=True) as out):
        shutil.copyfileobj(content, out, CHUNK_BYTES)
    return "other" if found else "plain"


def _seal_lines(path: Path, key: str) -> Literal["plain", "other", "first"]:
    """A line whose key is gone can be translated once more, so it is left out rather than told of."""
    before = path.stat()
    lines = [line for line in path.read_text("utf-8").split("\n") if line]
    keys = {key_of_line(line) for line in lines}
    if keys <= {key}:
        return "first"
    kept = []
    for line in lines:
        try:
            kept.append(seal_line(open_line(line)) + "\n")
        except SealedError:
            continue
    with _in_place(path, before) as fresh:
        fresh.write_text("".join(kept), "utf-8")
    return "plain" if None in keys else "other"


@contextmanager
def _in_place(path: Path, before: os.stat_result) -> Iterator[Path]:
    """A file to write, which then takes the place of `path` with its times; not if that has become another one."""
    fresh = path.with_name(f".{path.name}.sealing")
    try:
        yield fresh
        os.chmod(fresh, before.st_mode)
        os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))
        now = path.stat()
        if (now.st_ino, now.st_mtime_ns, now.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size):
            os.replace(fresh, path)
            sync_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _only_one() -> Iterator[None]:
    lock_file = settings.DATA_DIR / "run" / "rotate.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another rotation runs from this data folder. Wait for its end, or stop it.") from None
        yield
