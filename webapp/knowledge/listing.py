"""Collections that have become large: their segments are put into lists, so that searches stay quick."""

from __future__ import annotations

import logging
from uuid import UUID

from qa import listing
from qa.index import CollectionGone
from webapp.knowledge import storage
from webapp.knowledge.models import Collection

log = logging.getLogger(__name__)


def unlisted() -> list[UUID]:
    """Collections with a large segment for which lists were not tried yet, the oldest first."""
    return [pk for pk in Collection.objects.order_by("created_at").values_list("pk", flat=True) if _is_unlisted(pk)]


def give_lists(collection_id: UUID) -> None:
    """One segment's; what is left is found again. Harmless when there is nothing to do."""
    try:
        if listing.give_lists(storage.index(collection_id)):
            log.info("collection %s: a large segment was looked at, %s are left", collection_id,
                     len(listing.unlisted(storage.index(collection_id))))
    except CollectionGone:
        return


def _is_unlisted(collection_id: UUID) -> bool:
    try:
        return bool(listing.unlisted(storage.index(collection_id)))
    except CollectionGone:
        return False
