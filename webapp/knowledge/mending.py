"""Collections whose passages lack vectors, because another encoder was put into use or a file is damaged.

They are found, their passages are embedded again, and it is told how far that is; meanwhile they are searched by
their words alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from models_service.client import Models, ModelsError
from models_service.registry import ENCODER, Registry
from models_service.versions import STARTER_VERSION
from qa import mending
from qa.index import CollectionGone
from webapp.knowledge import storage
from webapp.knowledge.models import Collection
from webapp.settings.places import models_folder

log = logging.getLogger(__name__)
SLICE_SECONDS = 60
"""How long a worker mends before documents that wait get their turn."""
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5, 600
"""How long a collection in which nothing was to do is let be, and twice as long each time: the service may be about
to swap, or serve on another machine an encoder of its own."""


@dataclass(frozen=True)
class _Rest:
    seconds: float
    until: float


_resting: dict[UUID, _Rest] = {}


def served_encoder() -> str:
    """NAME@VERSION, by the registry's word."""
    live = Registry(folder=models_folder(settings.DATA_DIR)).live(ENCODER)
    return f"{ENCODER}@{live.current or STARTER_VERSION}"


def lacking() -> list[UUID]:
    """Collections whose passages lack vectors, the oldest first."""
    served = served_encoder()
    return [pk for pk in Collection.objects.order_by("created_at").values_list("pk", flat=True) if _lacks(pk, served)]


def needy() -> list[UUID]:
    """The same, but for those that were looked at in vain a short while ago."""
    now = time.monotonic()
    return [pk for pk in lacking() if pk not in _resting or now >= _resting[pk].until]


def mend(collection_id: UUID, models: Models, runner: asyncio.Runner) -> None:
    """Embed for SLICE_SECONDS; what is left is found again by `needy`. Harmless when there is nothing to do."""
    try:
        mended = runner.run(mending.mend(storage.index(collection_id), models, seconds=SLICE_SECONDS))
    except CollectionGone:
        return
    except ModelsError as error:
        log.warning("collection %s cannot be mended now: %s", collection_id, error.message)
        return
    log.info("collection %s: %s passages were embedded again, %s", collection_id, mended.embedded,
             "and all have vectors now" if mended.is_whole else "others are left")
    if mended.embedded:
        _resting.pop(collection_id, None)
    elif mended.is_whole:
        before = _resting.get(collection_id)
        seconds = min(2 * before.seconds, LONGEST_REST_SECONDS) if before else FIRST_REST_SECONDS
        _resting[collection_id] = _Rest(seconds, time.monotonic() + seconds)


def standing(collection_id: UUID) -> tuple[int, int] | None:
    """How many of how many passages have been embedded again; None where nothing is to be mended."""
    try:
        return mending.done_of(storage.index(collection_id)) if _lacks(collection_id, served_encoder()) else None
    except CollectionGone:
        return None


def _lacks(collection_id: UUID, served: str) -> bool:
    try:
        return mending.lacks_vectors(storage.index(collection_id), served)
    except CollectionGone:
        return False
