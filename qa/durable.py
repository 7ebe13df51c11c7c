"""Names on a disk: new ones that survive a power cut, second ones that outlive the first."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Bring the folder's list of names to the disk; the files' contents are their writers' business."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link(file: Path, target: Path) -> None:
    """Another name for a file, by which it stays what it is when the first is deleted or given to another one.

    A copy where the disk has no such names, or `target` lies on another one. Raises FileNotFoundError.
    """
    real = file.resolve(strict=True)
    try:
        os.link(real, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(real, target)
