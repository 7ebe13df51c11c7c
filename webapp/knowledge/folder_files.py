"""Files and folders on this machine that a collection is filled from and kept in step with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath

from qa.archive import ENDING
from qa.documents import ENDINGS
from webapp.knowledge.models import Collection, Document
from webapp.ops.command_line import wrong_use


@dataclass(frozen=True)
class FolderFile:
    """`source` names it within its folder, as "manuals/deep/pump.pdf"; "" for a file that was named alone."""

    path: Path
    source: str = ""


def found(paths: Sequence[Path], patterns: Sequence[str]) -> Iterator[FolderFile]:
    """Each named file, and of folders those of a type that can be read that match one of the patterns, if any."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in (*ENDINGS, ENDING) and _matches(file.relative_to(path), patterns) \
                        and file.is_file():
                    yield FolderFile(file, f"{_prefix(path)}{file.relative_to(path).as_posix()}")
        elif path.is_file():
            yield FolderFile(path)
        else:
            raise wrong_use(f"There is no file or folder {path}.")


def vanished(collection: Collection, paths: Sequence[Path]) -> list[Document]:
    """Documents that came from one of these folders, whose file is no longer there."""
    gone = []
    for folder in filter(Path.is_dir, paths):
        prefix = _prefix(folder)
        for document in Document.objects.filter(collection=collection, source__startswith=prefix):
            if not (folder / document.source.removeprefix(prefix)).is_file():
                gone.append(document)
    return gone


def _prefix(folder: Path) -> str:
    """By the folder's own name, so that it may be moved, or named from another place, and is still the same."""
    return f"{folder.resolve().name}/"


def _matches(path: PurePath, patterns: Sequence[str]) -> bool:
    """By the name alone, or by the path within the folder, of which a star spans several parts."""
    whole = path.as_posix()
    return not patterns or any(fnmatch(whole, pattern) or fnmatch(path.name, pattern) for pattern in patterns)
