"""Fetches what an import asks for, some seconds of it at a time, so that a long one never keeps others waiting.

Each address that is done is a row, and each page that came is a document like an uploaded one. A worker may be killed
at any moment: the next one fetches the address again that was under way.
"""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import SiteError
from webapp.knowledge.web import addresses, content, pace, pages, problems, services
from webapp.knowledge.web.claim import Claim
from webapp.knowledge.web.connecting import CheckedBackend
from webapp.knowledge.web.fetch import Fetcher
from webapp.knowledge.web.listing import list_sitemap
from webapp.knowledge.web.models import AddressKind, AddressStatus, ImportedAddress, ImportStatus, WebImport
from webapp.knowledge.web.problems import FetchProblem
from webapp.knowledge.web.robots import KnownRobots
from webapp.knowledge.work import WorkLost, WorkStopped
from webapp.limits import meter
from webapp.limits.meter import LimitReached

log = logging.getLogger(__name__)

STEP_SECONDS = 3.0
PAUSE_SECONDS = 1.0
"""Between two pages of one host, where its robots.txt asks for no longer one."""
MOST_TRIES = 3
RETRY_SECONDS = 5.0
MOST_NOT_REACHED = 6
"""So many addresses in a row that do not answer end an import."""
MOST_BYTES = 1_000_000_000

_robots = KnownRobots()


class _CannotGoOn(Exception):
    """The import ends here, whatever is left of it; the sentence says why."""


def step(import_id: UUID, backend: CheckedBackend | None = None) -> float | None:
    """Fetch for a few seconds; in how many seconds to go on, or None when there is nothing left to do here."""
    claim = Claim.take(import_id)
    if claim is None:
        return None
    with claim:
        web_import = WebImport.objects.select_related("added_by", "collection").get(pk=import_id)
        language = web_import.added_by.language if web_import.added_by else None
        wait: float | None = None
        with translation.override(language):
            try:
                with Fetcher(addresses.site_rules(), settings.MAX_UPLOAD_BYTES, claim.check, backend) as fetcher:
                    wait = _Step(web_import, claim, fetcher).run()
            except WorkStopped:
                claim.change(status=ImportStatus.QUEUED)
            except WorkLost:
                log.info("import %s is given up: it was cancelled or deleted, or another task has it", import_id)
            except (_CannotGoOn, LimitReached) as error:
                claim.change(status=ImportStatus.FAILED, message=str(error))
            except Exception:
                log.exception("import %s cannot go on", import_id)
                claim.change(status=ImportStatus.FAILED, message=_(
                    "Something went wrong while it was fetched; the worker's log says what. Try again."))
    services.announce(web_import.collection_id, import_id)
    return wait


class _Step:
    """What one task does of an import."""

    def __init__(self, web_import: WebImport, claim: Claim, fetcher: Fetcher) -> None:
        self.web_import, self.claim, self.fetcher = web_import, claim, fetcher

    def run(self) -> float | None:
        """As `step`."""
        end = time.monotonic() + STEP_SECONDS
        while time.monotonic() < end:
            row = self._next()
            if row is None:
                self._finish()
                return None
            wait = _seconds_until_turn(row)
            if wait:
                return wait
            self._bring_in(row)
            services.announce(self.web_import.collection_id, self.web_import.pk)
            self._check_whole()
        return 0.0

    def _next(self) -> ImportedAddress | None:
        """Sitemaps first, so that it soon shows how many pages there are; what has failed before last."""
        waiting = self.web_import.addresses.filter(status=AddressStatus.WAITING).order_by("tries", "pk")
        return waiting.filter(kind=AddressKind.SITEMAP).first() or waiting.first()

    def _bring_in(self, row: ImportedAddress) -> None:
        incoming = settings.DATA_DIR / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        if _is_of_sitemap(row) and not row.tries:
            meter.start_jobs(self.web_import.added_by)
        with tempfile.TemporaryDirectory(prefix="web-", dir=incoming) as folder:
            try:
                self._fetch(row, Path(folder) / "reply")
            except FetchProblem as problem:
                self._note(row, problem)
            except SiteError as error:
                pages.end(row, AddressStatus.FAILED, error.message)
        if not self.claim.change(bytes=self.web_import.bytes, not_reached=self.web_import.not_reached):
            raise WorkLost

    def _fetch(self, row: ImportedAddress, file: Path) -> None:
        known = pages.known(self.web_import.collection, row.address)
        fetched = self.fetcher.fetch(addresses.read(row.address), file, pages.stamp_of(known),
                                     lambda hop: self._check_robots(row, hop))
        self.web_import.not_reached = 0
        self.web_import.bytes += fetched.size if fetched else 0
        if fetched is None:
            pages.note_unchanged(row, known)
        elif row.kind == AddressKind.SITEMAP or (row.kind == AddressKind.UNKNOWN and content.is_sitemap(fetched)):
            list_sitemap(self.web_import, row, fetched)
        else:
            pages.add(self.web_import, row, fetched, known)

    def _check_robots(self, row: ImportedAddress, hop: addresses.WebAddress) -> None:
        self.claim.check()
        if _is_of_sitemap(row):
            _robots.check(hop, self.fetcher)

    def _note(self, row: ImportedAddress, problem: FetchProblem) -> None:
        log.info("%s is not fetched: %s", row.address, problem)
        if problem.code in problems.NOT_REACHED:
            self.web_import.not_reached += 1
        if problem.code == "private":
            record(Action.FETCH_REFUSED, row.address, by=self.web_import.added_by,
                   collection=self.web_import.collection.name)
        if problem.code in problems.MAY_PASS and row.depth and row.tries + 1 < MOST_TRIES:
            ImportedAddress.objects.filter(pk=row.pk).update(tries=row.tries + 1)
            pace.hold(addresses.read(row.address).authority, max(problem.retry_after, RETRY_SECONDS))
            return
        reason = problems.sentence(problem)
        if pages.known(self.web_import.collection, row.address):
            reason = f"{reason} {_('The document that is here already stays as it is.')}"
        pages.end(row, AddressStatus.SKIPPED if problem.code in problems.SKIPPED else AddressStatus.FAILED, reason)

    def _check_whole(self) -> None:
        """Raises _CannotGoOn when a sitemap's site is away, or brings too much."""
        if self.web_import.not_reached >= MOST_NOT_REACHED:
            raise _CannotGoOn(problems.sentence(FetchProblem("no_answers")))
        if self.web_import.bytes > MOST_BYTES:
            raise _CannotGoOn(problems.sentence(FetchProblem("too_much", megabytes=MOST_BYTES // 1_000_000)))

    def _finish(self) -> None:
        done = self.web_import.addresses.exclude(status=AddressStatus.LISTED)
        went_wrong = done.filter(status__in=(AddressStatus.FAILED, AddressStatus.SKIPPED))
        if went_wrong.count() < done.count():
            self.claim.change(status=ImportStatus.DONE)
            return
        first = went_wrong.first()
        if first is None:
            message = problems.sentence(FetchProblem("empty_sitemap"))
        elif self.web_import.is_sitemap and went_wrong.filter(kind=AddressKind.PAGE).exists():
            message = _("None of its pages could be fetched.")
        else:
            message = first.reason
        self.claim.change(status=ImportStatus.FAILED, message=message)


def _is_of_sitemap(row: ImportedAddress) -> bool:
    return row.kind == AddressKind.PAGE and row.depth > 0


def _seconds_until_turn(row: ImportedAddress) -> float:
    with suppress(FetchProblem):  # which fetching it will tell
        address = addresses.read(row.address)
        return pace.take_turn(address.authority, max(PAUSE_SECONDS, _robots.pause_of(address)))
    return 0.0
