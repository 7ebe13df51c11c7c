"""A ZIP of documents into a collection: each file within it becomes a document, or says why it does not."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from qa import archive
from qa.archive import ArchiveProblem
from webapp.accounts.models import User
from webapp.errors import BadInput, SiteError
from webapp.knowledge import services
from webapp.knowledge.models import Collection, Document
from webapp.uploads import plain_name, receive


@dataclass(frozen=True)
class Added:
    """A file that is a document now; `duplicate` when the collection held its content before."""

    path: str
    document: Document
    duplicate: bool


@dataclass(frozen=True)
class Refused:
    """A file of the archive that cannot become a document; `reason` is a sentence for a person."""

    path: str
    reason: str


@dataclass
class Unpacked:
    """What became of each file of an archive."""

    added: list[Added] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def is_archive(name: str) -> bool:
    return name.lower().endswith(archive.ENDING)


def add_archive(collection: Collection, name: str, chunks: Iterable[bytes], user: User | None) -> Unpacked:
    """Add the files of an uploaded ZIP.

    Raises:
        BadInput: it is no ZIP, or holds nothing or more than a site takes at once.
        TooLarge: it is larger than the site takes.
    """
    name = plain_name(name, "archive.zip")
    incoming = settings.DATA_DIR / "incoming" / uuid.uuid4().hex
    incoming.parent.mkdir(parents=True, exist_ok=True)
    try:
        receive(chunks, incoming, name)
        return unpack(collection, name, incoming, user)
    finally:
        incoming.unlink(missing_ok=True)


def unpack(collection: Collection, name: str, file: Path, user: User | None) -> Unpacked:
    """Add the files of a ZIP on disk. Raises BadInput."""
    done = Unpacked()
    try:
        with archive.opened(file) as entries:
            for entry in entries:
                _add(entry, collection, user, done)
    except ArchiveProblem as problem:
        raise BadInput(_sentence(problem, name), "file") from None
    if not done.added and not done.refused:
        raise BadInput(_("%(name)s holds no files.") % {"name": name}, "file")
    return done


def _add(entry: archive.Entry, collection: Collection, user: User | None, done: Unpacked) -> None:
    try:
        document, duplicate = services.add_document(collection, entry.name, entry.chunks(), user)
    except ArchiveProblem as problem:
        done.refused.append(Refused(entry.path, _sentence(problem, entry.name)))
    except SiteError as error:
        done.refused.append(Refused(entry.path, error.message))
    else:
        done.added.append(Added(entry.path, document, duplicate))


def _sentence(problem: ArchiveProblem, name: str) -> str:
    sentences = {
        "damaged": _("%(name)s is damaged or no ZIP archive. Pack it anew and upload that."),
        "encrypted": _("%(name)s is protected by a password. Save a copy without one and upload that."),
        "too_many": _("%(name)s holds more than %(files)s files. Pack them into several archives."),
        "too_much": _("%(name)s unpacks to more than %(megabytes)s MB. Pack its files into several archives."),
    }
    return sentences[problem.code] % {
        "name": name, "files": f"{archive.MOST_FILES:,}", "megabytes": archive.MOST_UNPACKED_BYTES // 1_000_000}
