"""What a fetched sitemap lists as further addresses of its import, within limits."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils.translation import gettext as _

from qa import sitemap
from qa.sitemap import NotSitemap
from webapp.knowledge.web import addresses, content, problems
from webapp.knowledge.web.addresses import WebAddress
from webapp.knowledge.web.fetch import Fetched
from webapp.knowledge.web.models import (
    SOURCE_CHARACTERS,
    AddressKind,
    AddressStatus,
    ImportedAddress,
    WebImport,
)
from webapp.knowledge.web.problems import FetchProblem

MOST_PAGES = 500
MOST_SITEMAPS = 50
MOST_LEVELS = 2
"""An index that lists sitemaps; one within it may list further ones."""


def list_sitemap(web_import: WebImport, row: ImportedAddress, fetched: Fetched) -> None:
    """Add the pages and sitemaps that it lists; those that are left out say why.

    Raises:
        FetchProblem: it is no sitemap, or damaged.
    """
    try:
        found = sitemap.read(fetched.file, MOST_PAGES + MOST_SITEMAPS)
    except NotSitemap:
        raise FetchProblem("damaged_sitemap" if content.is_sitemap(fetched) else "not_sitemap") from None
    hosts = {_bare(addresses.read(row.address).host), _bare(fetched.address.host)}
    listed = web_import.addresses.exclude(pk=row.pk)
    room = MOST_PAGES - listed.filter(kind=AddressKind.PAGE).count()
    pages = list(_rows(web_import, row, found.pages, AddressKind.PAGE, fetched.address, hosts))
    sitemaps = list(_rows(web_import, row, found.sitemaps, AddressKind.SITEMAP, fetched.address, hosts))
    _leave_out_what_is_too_deep(sitemaps, listed.filter(kind=AddressKind.SITEMAP).count())
    message = web_import.message
    if found.more or len(pages) > room:
        message = _("It lists more than %(most)s pages. The first %(most)s are fetched.") % {"most": MOST_PAGES}
    with transaction.atomic():
        ImportedAddress.objects.bulk_create([*sitemaps, *pages[:room]], ignore_conflicts=True)
        ImportedAddress.objects.filter(pk=row.pk).update(kind=AddressKind.SITEMAP, status=AddressStatus.LISTED)
        WebImport.objects.filter(pk=web_import.pk).update(is_sitemap=True, message=message)
    web_import.is_sitemap, web_import.message = True, message


def _rows(
    web_import: WebImport, row: ImportedAddress, found: list[str], kind: AddressKind, base: WebAddress,
    hosts: set[str],
) -> Iterator[ImportedAddress]:
    for text in found:
        made = ImportedAddress(web_import=web_import, kind=kind, depth=row.depth + 1,
                               address=text[:SOURCE_CHARACTERS])
        try:
            address = addresses.joined(base, text)
            made.address = str(address)
            if _bare(address.host) not in hosts:
                raise FetchProblem("other_host")
        except FetchProblem as problem:
            _leave_out(made, problem)
        yield made


def _leave_out_what_is_too_deep(sitemaps: list[ImportedAddress], before: int) -> None:
    for number, made in enumerate(sitemaps, start=before + 1):
        if made.status == AddressStatus.WAITING and (made.depth > MOST_LEVELS or number > MOST_SITEMAPS):
            _leave_out(made, FetchProblem("too_deep", levels=MOST_LEVELS, sitemaps=MOST_SITEMAPS))


def _leave_out(made: ImportedAddress, problem: FetchProblem) -> None:
    made.status = AddressStatus.SKIPPED if problem.code in problems.SKIPPED else AddressStatus.FAILED
    made.reason = problems.sentence(problem)


def _bare(host: str) -> str:
    return host.removeprefix("www.")
