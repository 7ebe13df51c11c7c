"""Makes a backup while the site runs.

The database first, at one moment; then at once what it refers to. So each row of the backup has its files, unless
they were deleted in the moment between, and files that came later have no row: `settling.py` sees to both.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from qa.durable import sync_folder
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.backup import archive, database, staging
from webapp.backup.archive import ENDINGS, FORMAT, Manifest, Progress
from webapp.errors import BadInput, Conflict

_STAGING = "backup-"


@dataclass(frozen=True)
class Made:
    """`size` in bytes, of the archive."""

    file: str
    size: int
    files: int


def make(target: Path, progress: Progress = lambda done, of: None) -> Made:
    """Write a backup to `target`, whole or not at all.

    Raises:
        BadInput: the name is of no archive, or taken.
        Conflict: another backup is being made, or the database cannot be copied.
    """
    if not target.name.endswith(ENDINGS):
        raise BadInput(f"{target.name} is no name for a backup: let it end in .tar or .tar.gz.")
    _refuse_taken(target)
    if not target.parent.is_dir():
        raise BadInput(f"There is no folder {target.parent}.")
    with _staged() as folder, _part_of(target) as part:
        copy = folder / "database" / database.FILE_NAMES[database.vendor()]
        copy.parent.mkdir()
        migrations = database.applied_migrations()
        database.copy_to(copy)
        staging.hold(folder / "data")
        files = [(path.relative_to(folder).as_posix(), path) for path in staging.files_in(folder)]
        manifest = Manifest(format=FORMAT, made_at=timezone.now().isoformat(), database=database.vendor(),
                            migrations=migrations, files={})
        with part.open("wb") as out:
            archive.write(out, not target.name.endswith(".tar"), files, manifest, progress)
            out.flush()
            os.fsync(out.fileno())
        _refuse_taken(target)
        part.rename(target)
        sync_folder(target.parent)
    made = Made(str(target), target.stat().st_size, len(files))
    record(Action.BACKED_UP, target.name, name="manage.py", files=made.files, bytes=made.size)
    return made


def _refuse_taken(target: Path) -> None:
    if target.exists():
        raise BadInput(f"{target} is there already, and a backup overwrites nothing. Choose another name.")


@contextmanager
def _staged() -> Iterator[Path]:
    """A folder of this backup's own in the data folder; what a killed one left there is removed."""
    run = settings.DATA_DIR / "run"
    run.mkdir(parents=True, exist_ok=True)
    with (run / "backup.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another backup of this data folder is being made. Wait for its end.") from None
        for left in run.glob(f"{_STAGING}*/"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=run) as folder:
            yield Path(folder)


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside it that only its owner reads, gone unless it was given its name."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
