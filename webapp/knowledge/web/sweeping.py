"""Finds imports that nobody works on, whose message was lost or whose worker was killed."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from webapp.knowledge.web import claim, services
from webapp.knowledge.web.models import WebImport

log = logging.getLogger(__name__)

QUEUED_FOR = timedelta(seconds=90)
"""Longer than any pause between two steps: an import younger than this is most likely still in the queue."""


def sweep() -> int:
    """Ask for them again, those of killed workers at once; how many that were. Asking twice does no harm."""
    found = set(claim.free_leases_of_the_dead())
    found |= set(claim.waiting().filter(updated_at__lt=timezone.now() - QUEUED_FOR).values_list("pk", flat=True))
    WebImport.objects.filter(pk__in=found).update(updated_at=timezone.now())
    for pk in found:
        services.queue(pk)
    if found:
        log.info("%s imports from the web are asked for again", len(found))
    return len(found)
