"""Documents on disk: the bytes as they came, the normalised text that offsets refer to, and its structure.

One folder a document; its files are encrypted where there is a key (`sealed/`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePath

from models_service.sealed import files
from qa.durable import sync_folder
from qa.structure import NOTHING_KNOWN, Structure

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_TEXT_NAME, _STRUCTURE_NAME = "text.txt", "structure.json"
CACHED_TEXTS = 8


class DocumentMissing(LookupError):
    """No document with this id is stored (any more)."""


def content_hash(data: bytes) -> str:
    """64 hex digits; equal for equal files."""
    return hashlib.sha256(data).hexdigest()


class DocumentStore:
    """Holds documents below `root`. Safe for many processes: a document is written whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = Path(root)

    def put(self, document_id: str, data: bytes, name: str, text: str) -> None:
        """Store the original bytes and the text, replacing an earlier version.

        `name` gives the original's file ending only.
        """
        folder = self.folder(document_id)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            ending = PurePath(name).suffix.lower()
            _write(fresh / f"original{ending if re.fullmatch(r'[.][a-z0-9]{1,10}', ending) else ''}", data)
            _write(fresh / _TEXT_NAME, text.encode("utf-8"))
            self._swap_in(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def put_text(self, document_id: str, text: str, structure: Structure = NOTHING_KNOWN) -> None:
        """Add the text to a document whose original lies in its folder already, or replace it.

        Raises:
            DocumentMissing: the document has been deleted.
        """
        folder = self.folder(document_id)
        fresh = folder / f".{_TEXT_NAME}"
        try:
            for name, data in ((_STRUCTURE_NAME, structure.to_json()), (_TEXT_NAME, text)):
                _write(fresh, data.encode("utf-8"))
                os.replace(fresh, folder / name)
            sync_folder(folder)
        except FileNotFoundError:
            raise DocumentMissing(f"document {document_id} is not stored") from None

    def text(self, document_id: str) -> str:
        """The normalised text.

        Raises:
            DocumentMissing: no such document.
        """
        path = self.folder(document_id) / _TEXT_NAME
        try:
            stat = path.stat()
            return _read(path, stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            raise DocumentMissing(f"document {document_id} is not stored") from None

    def structure(self, document_id: str) -> Structure:
        """Where pages and headings are in the text; nothing is known of a document that is gone, or of an old one."""
        path = self.folder(document_id) / _STRUCTURE_NAME
        try:
            stat = path.stat()
            return _read_structure(path, stat.st_mtime_ns, stat.st_ino)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return NOTHING_KNOWN

    def slice(self, document_id: str, start: int, end: int) -> str:
        """Characters `start` to `end` of the text.

        Raises:
            DocumentMissing: no such document.
        """
        return self.text(document_id)[start:end]

    def added(self, document_id: str) -> float:
        """When its file was stored, in seconds since 1970; 0 for a document that is gone."""
        try:
            return self.original(document_id).stat().st_mtime
        except (DocumentMissing, FileNotFoundError):
            return 0.0

    def original(self, document_id: str) -> Path:
        """The file as it was uploaded.

        Raises:
            DocumentMissing: no such document.
        """
        found = sorted(self.folder(document_id).glob("original*"))
        if not found:
            raise DocumentMissing(f"document {document_id} is not stored")
        return found[0]

    def delete(self, document_id: str) -> None:
        """Remove a document; one that is not there is fine."""
        folder = self.folder(document_id)
        if folder.is_dir():
            away = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
            with suppress(FileNotFoundError):
                os.rename(folder, away)
            shutil.rmtree(away, ignore_errors=True)

    def folder(self, document_id: str) -> Path:
        """Where the document's files lie; two levels, so that no directory grows past a few thousand entries."""
        if not _ID.fullmatch(document_id):
            raise ValueError(f"not a document id: {document_id!r}")
        return self._root / hashlib.sha256(document_id.encode()).hexdigest()[:2] / document_id

    def _swap_in(self, fresh: Path, folder: Path) -> None:
        """Two renames: a process killed just between them leaves no document, never half of one."""
        away = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        with suppress(FileNotFoundError):
            os.rename(folder, away)
        os.rename(fresh, folder)
        sync_folder(folder.parent)
        shutil.rmtree(away, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    files.write_bytes(path, data, sync=True)


@lru_cache(maxsize=CACHED_TEXTS)
def _read(path: Path, _modified_ns: int, _inode: int) -> str:
    """Cached by the file's time and inode, so that a replaced document is read anew."""
    return files.read_bytes(path).decode("utf-8")


@lru_cache(maxsize=8 * CACHED_TEXTS)
def _read_structure(path: Path, _modified_ns: int, _inode: int) -> Structure:
    return Structure.from_json(files.read_bytes(path).decode("utf-8"))
