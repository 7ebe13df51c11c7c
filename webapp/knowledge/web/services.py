"""What changes imports from the web: asking for one, cancelling, trying again, forgetting.

Fetching is `bringing_in.py`'s. Who may call it on what is decided before, by `webapp/access.py`.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Busy, Conflict
from webapp.knowledge import progress
from webapp.knowledge.models import Collection, Document
from webapp.knowledge.web import addresses, problems
from webapp.knowledge.web.models import (
    UNFINISHED,
    AddressKind,
    AddressStatus,
    ImportedAddress,
    ImportStatus,
    WebImport,
)
from webapp.knowledge.web.problems import FetchProblem

log = logging.getLogger(__name__)

MOST_WAITING = 20
"""Imports of one person that are not done."""


def ask_for(
    collection: Collection, address: str, user: User | None, *, is_sitemap: bool = False
) -> WebImport:
    """Have a page, or all pages of a sitemap, fetched; the import under way where the same is asked for twice.

    Args:
        is_sitemap: it must be one; otherwise what it is shows when it is there.

    Raises:
        BadInput: it is no address, or one that is not fetched from here.
        Busy: too many are under way.
    """
    kind = AddressKind.SITEMAP if is_sitemap else AddressKind.UNKNOWN
    return _ask(collection, checked(address, collection, user), user, kind)


def refresh(document: Document, user: User | None) -> WebImport:
    """Have a document's page fetched anew. Raises Conflict for one that did not come from the web."""
    if not document.is_from_web:
        raise Conflict(_("This document did not come from the web. Upload its new version instead."))
    address = checked(document.source, document.collection, user)
    return _ask(document.collection, address, user, AddressKind.PAGE)


def cancel(web_import: WebImport) -> WebImport:
    """Fetch no more of it; what has become documents stays. A worker that is at it notices within seconds."""
    changed = WebImport.objects.filter(pk=web_import.pk, status__in=UNFINISHED).update(
        status=ImportStatus.CANCELLED, lease="", lease_until=None, updated_at=timezone.now())
    if not changed:
        raise Conflict(_("Nothing is being fetched here, so there is nothing to cancel."))
    return _changed(web_import)


def retry(web_import: WebImport) -> WebImport:
    """Fetch what failed or was not reached."""
    with transaction.atomic():
        changed = WebImport.objects.filter(pk=web_import.pk).exclude(status__in=UNFINISHED).update(
            status=ImportStatus.QUEUED, message="", bytes=0, not_reached=0, lease="", lease_until=None,
            updated_at=timezone.now())
        if not changed:
            raise Conflict(_("This is still being fetched. Wait until it is done, or cancel it."))
        web_import.addresses.filter(status=AddressStatus.FAILED).update(
            status=AddressStatus.WAITING, reason="", tries=0)
    queue(web_import.pk)
    return _changed(web_import)


def forget(web_import: WebImport) -> None:
    """Take it off the lists; its documents stay, and a worker that is at it gives up."""
    collection, pk = web_import.collection_id, web_import.pk
    web_import.delete()
    announce(collection, pk)


def queue(import_id: UUID, seconds: float = 0) -> None:
    """Ask the worker to go on with it, so much later; a worker that was not asked finds it by itself."""
    from webapp.knowledge.tasks import bring_in

    def send() -> None:
        try:
            bring_in.apply_async((str(import_id),), countdown=seconds or None)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("the queue does not answer (%s); the worker will find import %s itself", error, import_id)

    transaction.on_commit(send)


def announce(collection_id: UUID, import_id: UUID) -> None:
    """Tell the collection's page that something happened; what, it asks for, as far as its reader may know."""
    progress.append(collection_id, {"type": "import", "id": str(import_id)})


def create(collection: Collection, address: str, user: User | None, kind: AddressKind) -> WebImport:
    """The rows of an import that nobody is asked yet to work on."""
    with transaction.atomic():
        made = WebImport.objects.create(collection=collection, address=address, added_by=user,
                                        is_sitemap=kind == AddressKind.SITEMAP)
        ImportedAddress.objects.create(web_import=made, address=address, kind=kind)
    record(Action.FETCH_ASKED, address, by=user, collection=collection.name, web_import=str(made.pk))
    return made


def checked(text: str, collection: Collection, user: User | None) -> str:
    """The address in its one form. Raises BadInput for one that is not fetched from here."""
    try:
        address = addresses.read(text)
        addresses.check(address, addresses.site_rules())
    except FetchProblem as problem:
        if problem.code == "private":
            record(Action.FETCH_REFUSED, text.strip(), by=user, collection=collection.name)
        raise BadInput(problems.sentence(problem), "url") from None
    return str(address)


def _ask(collection: Collection, address: str, user: User | None, kind: AddressKind) -> WebImport:
    waiting = WebImport.objects.filter(status__in=UNFINISHED)
    same = waiting.filter(collection=collection, address=address).first()
    if same is not None:
        return same
    if user is not None and waiting.filter(added_by=user).count() >= MOST_WAITING:
        raise Busy(_("At most %(most)s addresses may be fetched for you at once. Let some be done first.")
                   % {"most": MOST_WAITING})
    made = create(collection, address, user, kind)
    queue(made.pk)
    announce(collection.pk, made.pk)
    return made


def _changed(web_import: WebImport) -> WebImport:
    announce(web_import.collection_id, web_import.pk)
    web_import.refresh_from_db()
    return web_import
