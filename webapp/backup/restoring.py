"""Restores a backup into an empty data folder: checked as a whole first, unpacked aside, then put in its place."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.backup import archive, database, settling
from webapp.backup.archive import Manifest, Progress
from webapp.backup.settling import Settled
from webapp.errors import BadInput, Conflict
from webapp.ops import encryption

MADE_BY_ANY_COMMAND = frozenset(("incoming", "secret-key", "run", "encryption-keys.json"))
"""What a data folder holds as soon as a command of the site has looked at it."""
_STAGING = "restore-"


@dataclass(frozen=True)
class Restored:
    made_at: str
    files: int
    settled: Settled
    encryption: str
    """"ok", or which key is missing."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def restore(source: Path, progress: Progress = lambda done, of: None) -> Restored:
    """Put the site of a backup into the data folder and the database of the settings.

    Raises:
        BadInput: there is no such file, or it is no whole backup that this version can restore.
        Conflict: the data folder or the database is not empty, or the other kind of database is set.
    """
    if not source.is_file():
        raise BadInput(f"There is no file {source}.")
    _refuse_what_is_there()
    manifest = archive.check(source, progress)
    if manifest.database != database.vendor():
        raise Conflict(f"The backup is of a site with {manifest.database}, and DATABASE_URL says "
                       f"{database.vendor()}. Set it as it was.")
    run = settings.DATA_DIR / "run"
    run.mkdir(parents=True, exist_ok=True)
    for left in run.glob(f"{_STAGING}*/"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_STAGING, dir=run) as folder:
        archive.unpack(source, manifest, Path(folder), progress)
        _put_in_place(Path(folder), manifest)
    call_command("migrate", verbosity=0, interactive=False)
    encryption.note_first_key()
    done = Restored(manifest.made_at, len(manifest.files), settling.settle(), encryption.state())
    record(Action.RESTORED, source.name, name="manage.py", files=done.files, made_at=done.made_at)
    connection.close()
    return done


def _refuse_what_is_there() -> None:
    there = sorted(path.name for path in settings.DATA_DIR.iterdir() if path.name not in MADE_BY_ANY_COMMAND)
    if there or any((settings.DATA_DIR / "incoming").glob("*")):
        raise Conflict(f"{settings.DATA_DIR} is not empty ({', '.join(there[:5]) or 'incoming'}). A backup is "
                       "restored into an empty data folder only: name another one with WENDA_DATA_DIR.")
    if not database.is_empty():
        raise Conflict("The database of DATABASE_URL is not empty. Make an empty one and name that.")


def _put_in_place(unpacked: Path, manifest: Manifest) -> None:
    """The database last: without it, the folder is no site, whatever is killed when."""
    for path in sorted((unpacked / "data").glob("*")):
        path.replace(settings.DATA_DIR / path.name)
    database.restore_from(unpacked / "database" / database.FILE_NAMES[manifest.database])
