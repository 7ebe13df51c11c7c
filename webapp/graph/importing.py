"""Does what a source's row asks for: imports its file, or takes it out, in a child process that may be killed.

A worker may be killed at any moment: its child dies with it, the graph is the one before or the one after, and the
next worker begins anew.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from models_service.sealed.errors import SealedError
from models_service.sealed.keys import without_keys
from qa import graph_import
from webapp.graph import refusals, services, storage
from webapp.graph.claims import Claim
from webapp.graph.models import GraphSource, GraphStatus
from webapp.knowledge import work as documents_at_work
from webapp.sealed_files import cannot_be_opened
from webapp.training.child import Child

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25


def run(source_id: UUID) -> None:
    """Harmless when another task has the source or the graph, or when it is done or gone."""
    with storage.only_writer() as is_ours:
        claim = Claim.take(source_id) if is_ours else None
        if claim is None:
            return
        source = GraphSource.objects.select_related("added_by").get(pk=source_id)
        with translation.override(source.added_by.language if source.added_by else None):
            try:
                _remove(source, claim) if source.status == GraphStatus.REMOVING else _import(source, claim)
            except SealedError as error:
                _fail(claim, cannot_be_opened(error).message)
            except OSError as error:
                log.exception("graph file %s cannot be worked on", source_id)
                _fail(claim, _("Its files cannot be read or written (%(why)s).") % {"why": error.strerror or error})
            except Exception:
                log.exception("graph file %s cannot be worked on", source_id)
                _fail(claim, _("Something went wrong in the worker; its log says what."))
            finally:
                claim.give_back()


def _import(source: GraphSource, claim: Claim) -> None:
    began = time.monotonic()
    with storage.readable(source.pk) as file:
        child = _follow(source, claim, file)
    outcome = graph_import.outcome(storage.file_folder(source.pk))
    if outcome is not None and outcome.triples is not None:
        _is_ready(source, claim, outcome.triples)
        seconds = time.monotonic() - began
        log.info("%s is in the knowledge graph: %s triples, %.1f s", source, outcome.triples, seconds)
    elif outcome is not None:
        _fail(claim, refusals.of_file(outcome, source.name))
    elif claim.status() != GraphStatus.IMPORTING:
        log.info("%s was given up", source)
    elif documents_at_work.stopping.is_set():
        claim.change(status=GraphStatus.QUEUED, bytes_done=0, triples=0)
    elif child.status < 0:
        _fail(claim, refusals.too_hard(source.name))
    else:
        log.error("the import of %s failed: %s", source, child.last_lines())
        _fail(claim, _("Something went wrong in the worker; its log says what."))


def _is_ready(source: GraphSource, claim: Claim, triples: int) -> None:
    """Even where someone cancelled it a moment ago: the graph has it. One that is to be removed is removed next."""
    for asked in (GraphStatus.IMPORTING, GraphStatus.CANCELLED):
        claim.change(only_if=asked, status=GraphStatus.READY, triples=triples, bytes_done=source.size, error="")
    for replaced in GraphSource.objects.filter(name=source.name, status=GraphStatus.READY).exclude(pk=source.pk):
        services.forget(replaced)


def _remove(source: GraphSource, claim: Claim) -> None:
    if not GraphSource.objects.filter(name=source.name, status=GraphStatus.READY).exists():
        child = _follow(source, claim, None)
        if graph_import.outcome(storage.file_folder(source.pk)) is None:
            if not documents_at_work.stopping.is_set():
                log.error("the removal of %s failed: %s", source, child.last_lines())
                _fail(claim, _("Something went wrong in the worker; its log says what."))
            return
    services.forget(source)
    log.info("%s is out of the knowledge graph", source)


def _follow(source: GraphSource, claim: Claim, file: Path | None) -> Child:
    """The child's life, until it ends or nobody wants it to go on. Without a file the source is taken out."""
    status = GraphStatus.IMPORTING if file else GraphStatus.REMOVING
    folder = storage.file_folder(source.pk)
    folder.mkdir(parents=True, exist_ok=True)
    graph_import.clear(folder)
    command = graph_import.command(storage.store().folder, folder, source.name, file)
    child = Child(command, folder, without_keys(os.environ))
    said = None
    try:
        while not child.has_ended(LOOK_SECONDS):
            claim.renew()
            if documents_at_work.stopping.is_set() or claim.status() != status:
                break
            step = graph_import.step(folder)
            if step is not None and step != said:
                claim.change(only_if=status, triples=step.triples, bytes_done=step.bytes_done)
                said = step
    finally:
        child.kill()  # and whatever it left running
    return child


def _fail(claim: Claim, sentence: str) -> None:
    claim.change(status=GraphStatus.FAILED, error=sentence)
