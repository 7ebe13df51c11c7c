"""The files that a version of a model consists of: which they are, and how they are copied, recorded and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from pydantic import BaseModel

from models_service.model_files import SAMPLES_FILE, ModelUnusable

VERSION_FILE = "version.json"
KEPT = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.md", "*.model", "*.spm", "*.jinja")
"""Weights, settings, vocabularies and the card. The rest, pickles and Python code first of all, stays behind."""
CHUNK_BYTES = 1 << 20


class FileRecord(BaseModel):
    """A file as it was when its model was registered."""

    size: int
    sha256: str


def kept_files(folder: Path) -> list[Path]:
    """The files that a version consists of, relative to `folder`; nothing hidden, and not its own record."""
    found = {file.relative_to(folder) for pattern in KEPT for file in folder.rglob(pattern) if file.is_file()}
    return sorted(
        file for file in found if str(file) != VERSION_FILE and not any(part.startswith(".") for part in file.parts)
    )


def size_of(folder: Path) -> int:
    """Bytes of the files that a version consists of."""
    return sum((folder / file).stat().st_size for file in kept_files(folder))


def copy(source: Path, target: Path) -> None:
    """Copy a model's files to `target`, a new folder, and bring them to the disk. Samples are made anew."""
    for name in kept_files(source):
        if str(name) == SAMPLES_FILE:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
        sync(target / name)


def records(folder: Path) -> dict[str, FileRecord]:
    """Size and checksum of each of the model's files."""
    return {
        str(name): FileRecord(size=(folder / name).stat().st_size, sha256=sha256(folder / name))
        for name in kept_files(folder)
    }


def check_records(folder: Path, recorded: dict[str, FileRecord]) -> None:
    """Raises ModelUnusable when a file is missing or is not what was registered."""
    for name, record in recorded.items():
        file = folder / name
        if not file.is_file():
            raise ModelUnusable(f"{name} is missing from {folder}.")
        if file.stat().st_size != record.size or sha256(file) != record.sha256:
            raise ModelUnusable(f"{name} in {folder} was changed or damaged since it was registered.")


def sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Bring a file, or a folder's new names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
