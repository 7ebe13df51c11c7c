"""What people do with the graph's files: add, cancel, try again, remove.

The work itself is a worker's (`importing.py`), which acts on a row's new status within a second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from qa.graph_files import SUFFIXES, ending
from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Conflict
from webapp.graph import refusals, storage
from webapp.graph.models import GraphSource, GraphStatus
from webapp.uploads import plain_name, receive

log = logging.getLogger(__name__)


def add(name: str, chunks: Iterable[bytes], user: User | None) -> tuple[GraphSource, bool]:
    """Keep a file and queue its import; (its row, whether this content was there already).

    Once it is imported it takes the place of what was imported under its name before.

    Raises:
        BadInput: the file is empty, or of a type that is not imported.
        TooLarge: it is larger than the site takes.
    """
    name = plain_name(name, "graph.ttl")
    if ending(name) not in SUFFIXES:
        raise BadInput(refusals.unsupported(name), "file")
    source = GraphSource(name=name, format=ending(name), added_by=user)
    folder = storage.file_folder(source.pk)
    folder.mkdir(parents=True)
    try:
        source.size, source.sha256 = receive(chunks, storage.original(source.pk), name)
        kept = _keep(source)
    except BaseException:
        storage.delete_files(source.pk)
        raise
    if kept != source:
        storage.delete_files(source.pk)
        if kept.status in (GraphStatus.FAILED, GraphStatus.CANCELLED):
            kept = retry(kept)
        return kept, True
    record(Action.GRAPH_FILE_ADDED, name, by=user, source=str(source.pk))
    _give_up_older(source)
    queue(source)
    return source, False


def _keep(source: GraphSource) -> GraphSource:
    """The row of this content: `source`, or the one that was there before."""
    same = GraphSource.objects.filter(sha256=source.sha256).exclude(status=GraphStatus.REMOVING)
    known = same.first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            source.save(force_insert=True)
    except IntegrityError:  # uploaded twice at the same moment, or just being removed
        known = same.first()
        if known is None:
            raise Conflict(_("This file is being removed. Add it again in a moment.")) from None
        return known
    return source


def _give_up_older(source: GraphSource) -> None:
    """Files of the same name that never came into the graph have no more business there."""
    older = GraphSource.objects.filter(name=source.name).exclude(pk=source.pk)
    for one in older.exclude(status__in=[GraphStatus.READY, GraphStatus.REMOVING]):
        _set_removing(one)


def cancel(source: GraphSource) -> GraphSource:
    """Stop an import; the graph stays as it was. Conflict when it is not under way."""
    changed = GraphSource.objects.filter(
        pk=source.pk, status__in=[GraphStatus.QUEUED, GraphStatus.IMPORTING]
    ).update(status=GraphStatus.CANCELLED, updated_at=timezone.now())
    if not changed:
        raise Conflict(_("This file is not being imported, so there is nothing to cancel."))
    source.refresh_from_db()
    return source


def retry(source: GraphSource) -> GraphSource:
    """Import a file once more that failed or was cancelled."""
    changed = GraphSource.objects.filter(
        pk=source.pk, status__in=[GraphStatus.FAILED, GraphStatus.CANCELLED], lease=""
    ).update(status=GraphStatus.QUEUED, error="", updated_at=timezone.now())
    if not changed:
        raise Conflict(_("This file has not failed, so there is nothing to try again."))
    source.refresh_from_db()
    queue(source)
    return source


def remove(source: GraphSource) -> GraphSource:
    """Take what the file states out of the graph, then delete the file. A worker does it; its import is given up."""
    if source.status != GraphStatus.REMOVING:
        record(Action.GRAPH_FILE_REMOVED, source.name, source=str(source.pk))
        _set_removing(source)
    return source


def _set_removing(source: GraphSource) -> None:
    GraphSource.objects.filter(pk=source.pk).update(status=GraphStatus.REMOVING, error="", updated_at=timezone.now())
    source.status = GraphStatus.REMOVING
    queue(source)


def queue(source: GraphSource) -> None:
    """Ask the worker for it, once the running transaction has ended. A courtesy: the sweep finds it by its row."""
    from webapp.graph.tasks import work_on

    def send() -> None:
        try:
            work_on.delay(str(source.pk))
        except (OperationalError, RedisError, OSError) as error:
            log.warning("the queue does not answer (%s); the worker will find graph file %s itself", error, source.pk)

    transaction.on_commit(send)


def forget(source: GraphSource) -> None:
    """Its row and its file; what it stated is no longer in the graph."""
    pk = source.pk
    source.delete()
    storage.delete_files(pk)


