"""Fetches a page or a sitemap for a command, in its own process, whether the site runs or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from webapp.errors import BadInput
from webapp.knowledge.models import Collection
from webapp.knowledge.web import bringing_in, services
from webapp.knowledge.web.models import AddressKind, AddressStatus, ImportedAddress, ImportStatus


def fetched(
    collection: Collection, address: str, is_sitemap: bool, say: Callable[[str], None]
) -> Sequence[ImportedAddress]:
    """Each page of it, done: a document that waits to be read, or the reason why there is none.

    Raises:
        BadInput: the address is none that is fetched from here, or not all of it came.
    """
    kind = AddressKind.SITEMAP if is_sitemap else AddressKind.UNKNOWN
    made = services.create(collection, services.checked(address, collection, None), None, kind)
    wait: float | None = 0.0
    while wait is not None:
        wait = bringing_in.step(made.pk)
        pages = made.addresses.exclude(status=AddressStatus.LISTED)
        say(f"{pages.exclude(status=AddressStatus.WAITING).count()} of {pages.count()} pages of {address}")
        time.sleep(wait or 0)
    made.refresh_from_db()
    if made.status != ImportStatus.DONE and pages.filter(status=AddressStatus.WAITING).exists():
        raise BadInput(made.message)
    return list(pages.select_related("document"))
