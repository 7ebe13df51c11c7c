"""The backup's tar file: the database, the files of the data folder, and last a manifest with the SHA-256 of each.

    database/wenda.sqlite3   or wenda.pgdump
    data/documents/…         as in the data folder; what is encrypted there stays encrypted
    manifest.json            the last entry, so that an archive that was cut off has none
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from pydantic import BaseModel, ValidationError

from webapp.backup import database, staging
from webapp.errors import BadInput

FORMAT = 1
ENDINGS = (".tar", ".tar.gz", ".tgz")
_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 1_000_000_000
_CHUNK_BYTES = 1 << 20
_GZIP_LEVEL = 5
Progress = Callable[[int, int], None]


class FileEntry(BaseModel):
    """Of one file: its size in bytes and its SHA-256 in hex."""

    size: int
    sha256: str


class Manifest(BaseModel):
    """What an archive holds. `migrations` are those that its database had, as app.name; `made_at` is ISO 8601."""

    format: int
    made_at: str
    database: str
    migrations: list[str]
    files: dict[str, FileEntry]


class BadArchive(BadInput):
    """The archive is damaged, no backup, or not for this version of the site."""


def write(target: BinaryIO, compressed: bool, files: Sequence[tuple[str, Path]], manifest: Manifest,
          progress: Progress) -> None:
    """Write the files under their names and then `manifest`, completed by what was written."""
    options = {"mode": "w:gz", "compresslevel": _GZIP_LEVEL} if compressed else {"mode": "w"}
    with tarfile.open(fileobj=target, format=tarfile.PAX_FORMAT, **options) as tar:
        for number, (name, path) in enumerate(files, start=1):
            with path.open("rb") as file:
                info = tar.gettarinfo(arcname=name, fileobj=file)
                info.type, info.linkname = tarfile.REGTYPE, ""  # a file with several names is none of tar's links
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                info.size = file.seek(0, io.SEEK_END)  # of one that grows, what there is now
                file.seek(0)
                read = _Hashing(file)
                tar.addfile(info, read)
            manifest.files[name] = FileEntry(size=info.size, sha256=read.digest.hexdigest())
            progress(number, len(files))
        text = manifest.model_dump_json(indent=1).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))


class _Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def check(path: Path, progress: Progress) -> Manifest:
    """Read the whole archive and compare each byte with its manifest; nothing is written.

    Args:
        progress: is told megabytes of the archive.

    Raises:
        BadArchive: it is damaged, cut off, holds what no backup holds, or was made by a newer version of the site.
    """
    found: dict[str, FileEntry] = {}
    manifest: Manifest | None = None
    megabytes = path.stat().st_size // 1_000_000
    with path.open("rb") as file, _members_of(file, path.name) as members:
        for info, content in members:
            if manifest is not None:
                raise BadArchive(f"{path.name} goes on after its manifest: it was changed.")
            if info.name == _MANIFEST:
                manifest = _read_manifest(path, info, content)
                continue
            _check_name(path, info)
            if info.name in found:
                raise BadArchive(f"{path.name} holds {info.name} twice: it was changed.")
            read = _Hashing(content)
            while read.read(_CHUNK_BYTES):
                pass
            found[info.name] = FileEntry(size=info.size, sha256=read.digest.hexdigest())
            progress(file.tell() // 1_000_000, megabytes)
    if manifest is None:
        raise BadArchive(f"{path.name} has no manifest: it was cut off, or is no backup of Wenda.")
    for name in sorted({*found, *manifest.files}):
        if found.get(name) != manifest.files.get(name):
            raise BadArchive(f"{path.name} is damaged: {name} is not what its manifest says. Take another backup.")
    _check_version(path, manifest)
    return manifest


def unpack(path: Path, manifest: Manifest, target: Path, progress: Progress) -> None:
    """Write the files of an archive that has been checked below `target`, an empty folder. Raises BadArchive."""
    with path.open("rb") as archive, _members_of(archive, path.name) as members:
        for number, (info, content) in enumerate(members, start=1):
            if info.name == _MANIFEST:
                break
            _check_name(path, info)
            file = target.joinpath(*PurePosixPath(info.name).parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            read = _Hashing(content)
            with file.open("xb") as out:
                while data := read.read(_CHUNK_BYTES):
                    out.write(data)
            if manifest.files.get(info.name) != FileEntry(size=info.size, sha256=read.digest.hexdigest()):
                raise BadArchive(f"{path.name} was changed while it was restored.")
            os.utime(file, (info.mtime, info.mtime))
            progress(number, len(manifest.files))


@contextmanager
def _members_of(file: BinaryIO, name: str) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    try:
        with _opened(file) as tar:
            yield _plain_files(tar, name)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise BadArchive(f"{name} is damaged, cut off, or no backup of Wenda ({error}).") from None


def _opened(file: BinaryIO) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r|*")
    except TypeError:  # what tarfile makes of a gzip header that ends too early
        raise tarfile.ReadError("its header is cut off") from None


def _plain_files(tar: tarfile.TarFile, name: str) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for info in tar:
        content = tar.extractfile(info) if info.isreg() else None
        if content is None:
            raise BadArchive(f"{name} holds {info.name!r}, which is no plain file: it is no backup of Wenda.")
        yield info, content


def _read_manifest(path: Path, info: tarfile.TarInfo, content: IO[bytes]) -> Manifest:
    if info.size > _MOST_MANIFEST_BYTES:
        raise BadArchive(f"The manifest of {path.name} is too large.")
    try:
        values = json.loads(content.read())
        if isinstance(values, dict) and isinstance(values.get("format"), int) and values["format"] > FORMAT:
            raise BadArchive(f"{path.name} was made by a newer version of Wenda. Update Wenda first.")
        return Manifest.model_validate(values)
    except (ValueError, ValidationError):
        raise BadArchive(f"The manifest of {path.name} cannot be read: it is damaged.") from None


def _check_name(path: Path, info: tarfile.TarInfo) -> None:
    """That it stays within the data folder, in places that a backup has."""
    parts = info.name.split("/")
    plain = all(part not in ("", ".", "..") and not part.startswith(".") and "\\" not in part and "\0" not in part
                for part in parts)
    in_data = parts[0] == "data" and len(parts) > 1 and parts[1] in staging.TOP_NAMES
    is_database = parts[0] == "database" and parts[1:] in ([name] for name in database.FILE_NAMES.values())
    if not plain or not (in_data or is_database):
        raise BadArchive(f"{path.name} holds {info.name!r}, which belongs to no backup of Wenda.")


def _check_version(path: Path, manifest: Manifest) -> None:
    unknown = sorted(set(manifest.migrations) - database.known_migrations())
    if unknown:
        raise BadArchive(f"{path.name} was made by a newer version of Wenda, whose database has {unknown[0]}. Update "
                         "Wenda first.")
    if f"database/{database.FILE_NAMES.get(manifest.database, '')}" not in manifest.files:
        raise BadArchive(f"{path.name} holds no database: it is no backup of Wenda.")
