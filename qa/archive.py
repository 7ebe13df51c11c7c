"""The files within a ZIP, one after the other, never more of them than a site can bear.

Nothing is written here, no name from the archive is ever a path on disk, and an archive within it stays shut.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from models_service.sealed import files
from qa.encodings import NotText, decode

ENDING = ".zip"
MOST_FILES = 2_000
MOST_UNPACKED_BYTES = 1_000_000_000
CHUNK_BYTES = 1 << 20

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
"""Bits of an entry's flags."""


class ArchiveProblem(ValueError):
    """An archive, or a file within it, that is not taken."""

    def __init__(self, code: Literal["damaged", "encrypted", "too_many", "too_much"]) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """A file within an archive: `path` is what the archive calls it, with its folders."""

    path: str
    _archive: zipfile.ZipFile
    _info: zipfile.ZipInfo

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, unpacked; no more than the archive's own list says it has.

        Raises:
            ArchiveProblem: damaged or encrypted.
        """
        if self._info.flag_bits & _ENCRYPTED:
            raise ArchiveProblem("encrypted")
        try:
            with self._archive.open(self._info) as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except Exception as error:  # zipfile lets what zlib, lzma and struct raise through
            raise ArchiveProblem("damaged") from error


@contextmanager
def opened(path: Path) -> Iterator[list[Entry]]:
    """The files of a ZIP, in its order; what systems add by themselves (hidden files, __MACOSX) is left out.

    Raises:
        ArchiveProblem: no ZIP, or more files or bytes in it than MOST_FILES and MOST_UNPACKED_BYTES.
    """
    with files.open_read(path) as content:
        try:
            archive = zipfile.ZipFile(content)
        except Exception as error:  # as above
            raise ArchiveProblem("damaged") from error
        infos = [info for info in archive.infolist() if not info.is_dir()]
        entries = [Entry(_path(info), archive, info) for info in infos if _is_content(info.filename)]
        if len(entries) > MOST_FILES:
            raise ArchiveProblem("too_many")
        if sum(info.file_size for info in infos) > MOST_UNPACKED_BYTES:
            raise ArchiveProblem("too_much")
        yield entries


def _path(info: zipfile.ZipInfo) -> str:
    """Names that are not marked as UTF-8 are in whatever encoding the packing machine used, such as GBK."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        with suppress(UnicodeEncodeError, NotText):
            name = decode(name.encode("cp437"))
    return name.replace("\\", "/")


def _is_content(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_hidden = any(part.startswith(".") and part != ".." for part in parts)
    return bool(parts) and not is_hidden and "__MACOSX" not in parts
