"""Gives a child process the content of a file by its standard input, so that no plain copy of it lies anywhere.

The child never gets the keys.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from models_service.sealed import files
from models_service.sealed.container import CHUNK_BYTES
from models_service.sealed.keys import without_keys

LOOK_SECONDS = 0.25


def run_fed(
    command: Sequence[str], file: Path, *, cwd: Path, timeout: float, before: bytes = b"",
    look: Callable[[], float] = lambda: 0.0,
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` to its end; what it wrote to its two outputs is in the result.

    Args:
        before: what it reads before the content of `file`.
        look: called every LOOK_SECONDS meanwhile; tells how many seconds more the child is given. What it raises
            ends the child.

    Raises:
        subprocess.TimeoutExpired: it was killed when its time was over.
        SealedError: the file cannot be read to its end; the child was killed.
    """
    with files.open_read(file) as content:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=without_keys(os.environ))
        feeder = _Feeder(process, before, content)
        feeder.start()
        try:
            out, errors = _communicate(process, timeout, look)
        finally:
            process.kill()  # of one that has ended, nothing is left to kill
            process.wait()
            feeder.join()
    if feeder.failed is not None:
        raise feeder.failed
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def _communicate(
    process: subprocess.Popen[bytes], timeout: float, look: Callable[[], float]
) -> tuple[bytes, bytes]:
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        try:
            return process.communicate(timeout=max(0.0, min(left, LOOK_SECONDS)))
        except subprocess.TimeoutExpired:
            end += look()
            if time.monotonic() >= end:
                raise


class _Feeder(threading.Thread):
    def __init__(self, process: subprocess.Popen[bytes], before: bytes, content: BinaryIO) -> None:
        super().__init__(name=f"feeds-{process.pid}", daemon=True)
        self.failed: OSError | None = None
        self._process, self._before, self._content = process, before, content
        self._into: IO[bytes] = process.stdin
        process.stdin = None  # this thread's, which closes it

    def run(self) -> None:
        try:
            with self._into:
                self._into.write(self._before)
                shutil.copyfileobj(self._content, self._into, CHUNK_BYTES)
        except BrokenPipeError:  # the child has read enough, or died: its exit status says which
            return
        except OSError as error:
            self.failed = error
            self._process.kill()
