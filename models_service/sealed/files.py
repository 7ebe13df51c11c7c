"""Files that people handed in, and what is made of them: written encrypted where there is a key, read either way.

What was written before there was a key, or is given to a command by its path, is read as it is.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, TextIO

from models_service.sealed.container import CHUNK_BYTES, HEAD_BYTES, SealedReader, SealingWriter, key_id
from models_service.sealed.keys import Keyring, keyring


def key_of(path: Path) -> str | None:
    """The id of the key that the file is encrypted with; None when it is not encrypted."""
    with path.open("rb") as file:
        return key_id(file.read(HEAD_BYTES))


def open_read(path: Path, keys: Keyring | None = None) -> BinaryIO:
    """The content of a file.

    Raises:
        FileNotFoundError: there is none.
        SealedError: it is encrypted and its key is missing, or it is damaged.
    """
    file = path.open("rb")
    try:
        if key_id(file.read(HEAD_BYTES)) is None:
            file.seek(0)
            return file
        file.seek(0)
        reader = SealedReader(file, keyring() if keys is None else keys, path.name)
    except BaseException:
        file.close()
        raise
    return io.BufferedReader(reader, CHUNK_BYTES)


def open_write(path: Path, *, sync: bool = False) -> BinaryIO | SealingWriter:
    """A new file in place of what is there; as a context it is whole only when nothing was raised.

    Args:
        sync: bring it to the disk when it is closed.
    """
    key = keyring().first
    file = path.open("wb")
    if key is not None:
        return SealingWriter(file, key, sync=sync)
    return _Synced(file) if sync else file


class _Synced(io.BufferedWriter):
    """A plain file that is on the disk once it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file.detach())

    def close(self) -> None:
        if not self.closed:
            self.flush()
            os.fsync(self.fileno())
        super().close()


def read_bytes(path: Path) -> bytes:
    with open_read(path) as file:
        return file.read()


def write_bytes(path: Path, data: bytes, *, sync: bool = False) -> None:
    with open_write(path, sync=sync) as file:
        file.write(data)


def open_text(path: Path) -> TextIO:
    """A UTF-8 file's lines, their ends as they are."""
    return io.TextIOWrapper(open_read(path), encoding="utf-8", newline="")


def create_text(path: Path) -> TextIO:
    """A new UTF-8 file."""
    out = open_write(path)
    if isinstance(out, SealingWriter):
        out = io.BufferedWriter(out, CHUNK_BYTES)
    return io.TextIOWrapper(out, encoding="utf-8", newline="")
