"""Collections that have become large: their segments get short codes, so that searches stay quick."""

from __future__ import annotations

import logging
from uuid import UUID

from qa import quickening
from qa.index import CollectionGone
from webapp.knowledge import storage
from webapp.knowledge.models import Collection

log = logging.getLogger(__name__)


def uncoded() -> list[UUID]:
    """Collections with a large segment for which codes were not tried yet, the oldest first."""
    return [pk for pk in Collection.objects.order_by("created_at").values_list("pk", flat=True) if _is_uncoded(pk)]


def give_codes(collection_id: UUID) -> None:
    """One segment's; what is left is found again. Harmless when there is nothing to do."""
    try:
        if quickening.give_codes(storage.index(collection_id)):
            log.info("collection %s: a large segment was looked at, %s are left", collection_id,
                     len(quickening.uncoded(storage.index(collection_id))))
    except CollectionGone:
        return


def _is_uncoded(collection_id: UUID) -> bool:
    try:
        return bool(quickening.uncoded(storage.index(collection_id)))
    except CollectionGone:
        return False
