"""`manage.py ingest PATH...`: add files and folders to a collection and wait until they are searchable."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from qa.documents import ENDINGS
from webapp.accounts.models import User
from webapp.errors import SiteError
from webapp.knowledge import archives, folder_files, ingestion, services
from webapp.knowledge.folder_files import FolderFile
from webapp.knowledge.models import WEB, Collection, Document, DocumentStatus, ImportedAddress, Visibility
from webapp.knowledge.web.from_command_line import fetched
from webapp.knowledge.web.models import AddressStatus
from webapp.ops import worker_pulse
from webapp.ops.command_line import FAILED, SiteCommand, table, wrong_use
from webapp.settings.places import models_folder

TYPES = ", ".join(ENDINGS)
LOOK_SECONDS = 0.3
CHUNK_BYTES = 1 << 20
Row = dict[str, Any]


class Command(SiteCommand):
    help = (
        "Add files, and the readable files of folders, to a collection and wait until they are searchable. A file "
        "that the collection has already is recognised by its content. Where the site runs, its worker reads the "
        "files in; otherwise this command loads the models and does it itself. Ctrl-C loses nothing: the rest waits "
        "for the site."
    )
    expected_errors = (SiteError,)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", metavar="PATH",
                            help=f"a file, a folder or a ZIP of such: {TYPES}; or the address of a page or sitemap")
        parser.add_argument("--sitemap", action="store_true", help="the web addresses must be sitemaps")
        parser.add_argument("--glob", action="append", default=[], metavar="PATTERN",
                            help="of folders, only the files that match, as '*.md' or 'reports/*'; may be repeated")
        parser.add_argument("--remove-vanished", action="store_true",
                            help="delete the documents whose file is no longer in the folder that it came from")
        parser.add_argument("--collection", metavar="NAME",
                            help="made when it is missing; --again without it reads in every collection")
        parser.add_argument("--again", action="store_true",
                            help="read the collection's own documents in anew, from their files")
        parser.add_argument("--owner", metavar="USER",
                            help="whose collection it is; without, it is nobody's and everyone on the site sees it")

    def handle(self, *args: Any, **options: Any) -> None:
        self._failed = 0
        super().handle(*args, **options)
        if self._failed:
            sys.exit(FAILED)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        begun = time.monotonic()
        if options["again"] == bool(options["paths"]):
            raise wrong_use("Name files or folders to add; or --again alone, to read in anew what is there already.")
        if options["paths"] and not options["collection"]:
            raise wrong_use("Say which collection the files are for, with --collection NAME.")
        addresses = [path for path in options["paths"] if path.startswith(WEB)]
        paths = [Path(path) for path in options["paths"] if not path.startswith(WEB)]
        files = list(folder_files.found(paths, options["glob"]))
        if paths and not files:
            raise wrong_use(f"There is no file in these folders that can be read. Types: {TYPES}.")
        site_runs = worker_pulse.beats(settings.REDIS_URL)
        if not site_runs:
            logging.getLogger("webapp.knowledge.progress").setLevel(logging.ERROR)  # there is no queue, as expected
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        owner = _owner(options["owner"])
        if options["again"]:
            collections = _known_collections(options["collection"], owner)
            rows = [_row(document.name, id=str(document.pk))
                    for collection in collections for document in services.read_again(collection)]
        else:
            collections = [_collection(options["collection"], owner)]
            rows = [row for file in files for row in _add(collections[0], file)]
            for address in addresses:
                rows += [_fetched(page) for page in fetched(collections[0], address, options["sitemap"], self._say)]
        added = [row["id"] for row in rows if row["id"]]
        if not site_runs:
            self._read_in(added)
        self._wait(added)
        _complete(rows)
        vanished = [] if options["again"] else folder_files.vanished(collections[0], paths)
        if options["remove_vanished"]:
            for document in vanished:
                services.delete_document(document)
        self._failed = sum(row["status"] == DocumentStatus.FAILED for row in rows)
        return {
            "collection": _named(collections[0]) if options["collection"] else None,
            "documents": rows,
            "ready": len(rows) - self._failed,
            "failed": self._failed,
            "passages": sum(row["passages"] for row in rows),
            "vanished": [{"file": document.source, "removed": options["remove_vanished"]} for document in vanished],
            "seconds": round(time.monotonic() - begun, 1),
        }

    def lines(self, result: dict[str, Any]) -> list[str]:
        rows: list[tuple[object, ...]] = [("file", "status", "passages", "")]
        for row in result["documents"]:
            new = f"version {row['version']}" if row["version"] > 1 else ""
            remark = row["error"] or ("was there already" if row["duplicate"] else new)
            rows.append((row["file"], row["status"], row["passages"], remark))
        for gone in result["vanished"]:
            remark = "removed" if gone["removed"] else "its file is gone; --remove-vanished deletes the document"
            rows.append((gone["file"], "vanished", "", remark))
        where = f"“{result['collection']['name']}”" if result["collection"] else "all collections"
        return [
            *table(rows),
            f"{result['ready']} of {len(result['documents'])} files are searchable in {where} "
            f"({result['passages']} passages, {result['seconds']} s).",
        ]

    def _read_in(self, identifiers: Sequence[str]) -> None:
        """Do the worker's work here. A document that a worker has taken meanwhile is left to it."""
        unfinished = _unfinished(identifiers)
        if not unfinished:
            return
        self._say("No worker runs, so the models are loaded here.")
        from models_service.in_process import InProcessModels  # takes seconds

        with asyncio.Runner() as runner:
            models = InProcessModels(folder=models_folder(settings.DATA_DIR))
            for number, document in enumerate(unfinished, start=1):
                self._say(f"{number} of {len(unfinished)}: {document.name}")
                ingestion.ingest(document.pk, models, runner)

    def _wait(self, identifiers: Sequence[str]) -> None:
        """Until the worker has done them all, saying how far it is."""
        said = ""
        while unfinished := _unfinished(identifiers):
            done = sum(document.passages_done for document in unfinished)
            total = sum(document.passages_total for document in unfinished)
            note = next((document.error for document in unfinished if document.error), "")
            line = f"{len(unfinished)} files to go; of those under way, {done} of {total} passages are done. {note}"
            if not worker_pulse.beats(settings.REDIS_URL):
                line = f"{len(unfinished)} files to go, but no worker runs now. Start the site, or Ctrl-C and repeat."
            if line != said:
                self._say(line.strip())
                said = line
            time.sleep(LOOK_SECONDS)

    def _say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def _owner(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise wrong_use(f"There is no user {name}.")
    return user


def _collection(name: str, owner: User | None) -> Collection:
    found = Collection.objects.filter(owner=owner, name=name.strip()).first()
    visibility = Visibility.PRIVATE if owner else Visibility.EVERYONE
    return found or services.create_collection(owner, name, visibility=visibility)


def _known_collections(name: str | None, owner: User | None) -> list[Collection]:
    """The one of this name; all that there are when none is named."""
    if name is None and owner is None:
        return list(Collection.objects.order_by("created_at"))
    found = Collection.objects.filter(owner=owner, **({"name": name.strip()} if name else {}))
    if not found:
        whose = f"of {owner.username}" if owner else "without an owner"
        raise wrong_use(f"There is no collection {name or ''} {whose}.")
    return list(found)


def _named(collection: Collection) -> dict[str, str]:
    return {"id": str(collection.pk), "name": collection.name}


def _row(file: str, **more: Any) -> Row:
    return {"file": file, "id": None, "duplicate": False, "status": "", "version": 1, "passages": 0,
            "error": "", **more}


def _add(collection: Collection, file: FolderFile) -> list[Row]:
    """The file's rows of the result. A file that is refused does not keep the others from being read."""
    path = file.path
    try:
        if archives.is_archive(path.name):
            unpacked = archives.unpack(collection, path.name, path, collection.owner)
            return [_added(f"{path}/{one.path}", one.document, one.duplicate) for one in unpacked.added] + [
                _refused(f"{path}/{one.path}", one.reason) for one in unpacked.refused]
        with path.open("rb") as content:
            chunks = iter(lambda: content.read(CHUNK_BYTES), b"")
            added = services.add_document(collection, path.name, chunks, collection.owner, file.source)
    except (SiteError, OSError) as error:
        return [_refused(str(path), str(error))]
    return [_added(str(path), *added)]


def _added(path: str, document: Document, duplicate: bool) -> Row:
    if duplicate and document.status == DocumentStatus.FAILED:
        services.retry(document)
    return _row(path, id=str(document.pk), duplicate=duplicate, version=document.version)


def _fetched(page: ImportedAddress) -> Row:
    if page.document is None:
        return _refused(page.address, page.reason)
    return _row(page.address, id=str(page.document_id), duplicate=page.status != AddressStatus.ADDED,
                version=page.document.version)


def _refused(path: str, reason: str) -> Row:
    return _row(path, status=DocumentStatus.FAILED.value, error=reason)


def _unfinished(identifiers: Sequence[str]) -> list[Document]:
    wanted = Document.objects.filter(status__in=[DocumentStatus.QUEUED, DocumentStatus.PROCESSING])
    return [document for document in wanted.order_by("created_at") if str(document.pk) in set(identifiers)]


def _complete(rows: Sequence[Row]) -> None:
    """Write into the rows what became of their documents."""
    for row in rows:
        if row["id"] is None:
            continue
        document = Document.objects.filter(pk=row["id"]).first()
        if document is None:
            row.update(status=DocumentStatus.FAILED.value, error="It was deleted meanwhile.")
        else:
            row.update(status=document.status, passages=document.passages_total, error=document.error)
