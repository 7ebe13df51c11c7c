"""What the search indexes take on disk, told from their folders alone: nothing is opened, so it is cheap to ask."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qa.index import SEGMENTS


@dataclass(frozen=True)
class IndexFigures:
    """`published_at`, in seconds since 1970, is when segments were last published or merged, if they ever were."""

    indexes: int = 0
    segments: int = 0
    bytes: int = 0
    published_at: float | None = None


def on_disk(folder: Path) -> IndexFigures:
    """Of all indexes in `folder`; one that is deleted meanwhile is left out."""
    indexes = segments = size = 0
    published: float | None = None
    for index in _folders(folder):
        with suppress(FileNotFoundError):
            files = [entry.stat() for entry in os.scandir(Path(index) / SEGMENTS)]
            rest = sum(entry.stat().st_size for entry in os.scandir(index) if entry.is_file())
            indexes += 1
            segments += len(files)
            size += rest + sum(file.st_size for file in files)
            published = max([published or 0.0, *(file.st_mtime for file in files)]) or published
    return IndexFigures(indexes, segments, size, published)


def _folders(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return [entry.path for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    return []
