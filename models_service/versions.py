"""The versions of each model on disk, and which of them is served; whatever is killed when, all is old or all is new.

    NAME/VERSION/        one model directory, never changed once it is there
      version.json       what it is, when it came, and each file's checksum
      samples.json       inputs, and what the model gave for them when it was registered
    NAME/live.json       which version is served and which was before; replaced as one file, so both change at once
    NAME/.lock           held by whoever changes live.json
    NAME/.registering    held by whoever adds a version
    NAME/.new-*          a version in the making; what a killed command left is removed by the next one

A starter model is version "starter" of its name. It lies elsewhere, is always there and cannot be removed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ValidationError

from models_service import model_files, version_files
from models_service.model_files import Kind, ModelMissing, ModelUnusable
from models_service.version_files import VERSION_FILE, FileRecord

STARTER_VERSION = "starter"
LIVE_FILE = "live.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NUMBERED = re.compile(r"v([1-9][0-9]*)")


class VersionRecord(BaseModel):
    """What is known of a version since it was registered."""

    name: str
    version: str
    kind: Kind
    registered: datetime
    files: dict[str, FileRecord]


class Live(BaseModel):
    """Which version of a name is served. `changes` counts promotions and rollbacks; None is "none"."""

    current: str | None = None
    previous: str | None = None
    changes: int = 0


class Versions:
    """All models under one folder. Any number of processes read; those that write take turns."""

    def __init__(self, folder: Path, starters: Mapping[str, Kind] = MappingProxyType({})) -> None:
        """`starters` are the names that have a version "starter" without lying here, and their kinds."""
        self.folder = Path(folder)
        self._starters = starters

    # --- reading ---

    def names(self) -> list[str]:
        """Of models that have at least one registered version."""
        if not self.folder.is_dir():
            return []
        return sorted(
            place.name for place in self.folder.iterdir() if _NAME.fullmatch(place.name) and self.versions(place.name)
        )

    def versions(self, name: str) -> list[str]:
        """The registered versions of a name, oldest first; "starter" is not among them."""
        place = self._place(name)
        if not place.is_dir():
            return []
        found = [inner.name for inner in place.iterdir() if _NUMBERED.fullmatch(inner.name)]
        return sorted(found, key=lambda version: int(version[1:]))

    def kind(self, name: str) -> Kind | None:
        """What the versions of a name are; None when there is none."""
        if name in self._starters:
            return self._starters[name]
        registered = self.versions(name)
        return self.record(name, registered[0]).kind if registered else None

    def directory(self, name: str, version: str) -> Path:
        return self._place(name) / version

    def record(self, name: str, version: str) -> VersionRecord:
        """Raises ModelMissing, ModelUnusable."""
        file = self.directory(name, version) / VERSION_FILE
        try:
            return VersionRecord.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            raise ModelMissing(
                f"There is no version {version} of {name}; there are: {', '.join(self._all(name)) or 'none'}."
            ) from None
        except (OSError, ValidationError) as problem:
            raise ModelUnusable(f"{file} cannot be read: {problem}") from None

    def live(self, name: str) -> Live:
        """Raises ModelUnusable when the file cannot be read."""
        file = self._place(name) / LIVE_FILE
        try:
            return Live.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return Live(current=STARTER_VERSION if name in self._starters else None)
        except (OSError, ValidationError) as problem:
            raise ModelUnusable(f"{file} cannot be read: {problem}") from None

    def check_name(self, name: str) -> None:
        """Raises ModelMissing when no model can have this name."""
        self._place(name)

    # --- writing ---

    def register(
        self, source: Path, name: str, kind: Kind | None = None,
        complete: Callable[[Path, Kind], None] = lambda folder, kind: None,
    ) -> VersionRecord:
        """Copy the model in `source` to a new version of `name`. It is not served before it is promoted.

        Args:
            kind: what it is; by default what its own settings say.
            complete: adds to the copy what a version has beside the model's own files, before it can be seen.

        Raises:
            ModelMissing, ModelUnusable: `source` holds no model that can be served; nothing was registered.
        """
        model_files.check_files(source, name)
        model_files.check_weights(source)
        kind = kind or model_files.kind_of(source)
        place = self._place(name)
        place.mkdir(parents=True, exist_ok=True)
        with _held(place / ".registering"):
            for left in place.glob(".new-*"):
                shutil.rmtree(left)
            self._check_kind(name, kind)
            fresh = place / f".new-{uuid.uuid4().hex}"
            try:
                version_files.copy(source, fresh)
                complete(fresh, kind)
                version = f"v{1 + max((int(old[1:]) for old in self.versions(name)), default=0)}"
                record = VersionRecord(
                    name=name, version=version, kind=kind, registered=datetime.now(UTC),
                    files=version_files.records(fresh),
                )
                _write(fresh / VERSION_FILE, record)
                os.rename(fresh, place / version)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
            version_files.sync(place)
        return record

    def promote(self, name: str, version: str) -> Live:
        """Serve this version from now on; the one that was served becomes the previous one.

        Raises:
            ModelMissing: there is no such version.
            ModelUnusable: its files are not those that were registered.
        """
        if version not in self._all(name):
            self.record(name, version)
        if version != STARTER_VERSION:
            version_files.check_records(self.directory(name, version), self.record(name, version).files)
        with self._changing(name) as live:
            previous = live.previous if live.current == version else live.current
            return self._replace(name, Live(current=version, previous=previous, changes=live.changes + 1))

    def rollback(self, name: str) -> Live:
        """Serve the previous version again; the two change places, so that a second rollback undoes the first.

        Raises:
            ModelMissing: there is no previous version.
        """
        with self._changing(name) as live:
            if live.previous is None:
                raise ModelMissing(f"{name} has no previous version: none was promoted since the first.")
            return self._replace(
                name, Live(current=live.previous, previous=live.current, changes=live.changes + 1)
            )

    def take_back(self, name: str, promoted: Live, before: Live) -> bool:
        """Undo a promotion that turned out not to serve, unless something else was promoted since; whether it did."""
        with self._changing(name) as live:
            if live != promoted:
                return False
            self._replace(name, before.model_copy(update={"changes": live.changes + 1}))
            return True

    def _all(self, name: str) -> list[str]:
        return [*([STARTER_VERSION] if name in self._starters else []), *self.versions(name)]

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ModelMissing(f"{name!r} cannot be a model's name: use letters, digits, dots, - and _ (64 at most).")
        return self.folder / name

    def _check_kind(self, name: str, kind: Kind) -> None:
        """A name stands for one kind of model; whoever asks for a reader must not get an encoder."""
        known = self.kind(name)
        if known is not None and known != kind:
            raise ModelUnusable(
                f"{name} is the name of a model of kind {known}, and this one is of kind {kind}: "
                "register it under another name."
            )

    @contextmanager
    def _changing(self, name: str) -> Iterator[Live]:
        place = self._place(name)
        place.mkdir(parents=True, exist_ok=True)
        with _held(place / ".lock"):
            yield self.live(name)

    def _replace(self, name: str, live: Live) -> Live:
        place = self._place(name)
        _write(place / ".live.new", live)
        os.replace(place / ".live.new", place / LIVE_FILE)
        version_files.sync(place)
        return live


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """A lock among processes, which the system releases when its holder is killed."""
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(file: Path, values: BaseModel) -> None:
    with file.open("w", encoding="utf-8") as opened:
        opened.write(values.model_dump_json(indent=2) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
