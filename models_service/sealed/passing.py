"""Bytes that pass through: written once, then read, on disk only under a key that is gone with this process."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from models_service.sealed.container import CHUNK_BYTES, SealedReader, SealingWriter
from models_service.sealed.keys import one_time


class PassingFile:
    """What is written stays in memory up to `most_in_memory` bytes, then goes to a nameless file in `folder`."""

    def __init__(self, most_in_memory: int = 0, folder: Path | str | None = None) -> None:
        self._most = most_in_memory
        self._folder = folder
        self._out: io.BytesIO | SealingWriter = io.BytesIO()
        self._disk: BinaryIO | None = None
        self._keys = one_time()
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._disk is None and self._size > self._most:
            held = self._out.getvalue()
            self._disk = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (whoever reads it closes it)
            # One for the writer, which closes its own.
            self._out = SealingWriter(os.fdopen(os.dup(self._disk.fileno()), "wb"), self._keys.first)
            self._out.write(held)
        self._out.write(data)

    def reading(self) -> BinaryIO:
        """What was written, from its beginning. Nothing is written any more."""
        if self._disk is None:
            self._out.seek(0)
            return self._out
        self._out.close()
        self._disk.seek(0)
        return io.BufferedReader(SealedReader(self._disk, self._keys, "an upload"), CHUNK_BYTES)

    def close(self) -> None:
        """Nobody will read it."""
        if isinstance(self._out, SealingWriter):
            self._out.give_up()
        if self._disk is not None:
            self._disk.close()
