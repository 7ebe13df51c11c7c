"""From a person and a question to the events of an answer: access, indexes, documents and models put together.

The chat, `POST /api/v1/qa/ask` and `manage.py ask` all answer through here. Knows no sockets and saves nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import cache
from typing import TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from models_service.client import Models, ModelsError, ModelService, encodable
from models_service.protocol import (
    MAX_QUESTION_CHARACTERS,
    AlsoIn,
    AnswerDone,
    AnswerError,
    Citation,
    DeltaEvent,
    SourcesEvent,
)
from qa import answer as qa_answer
from qa.answer import BadQuestion, Turn
from qa.graph import Graph, GraphDamaged
from webapp import access
from webapp.accounts.models import User
from webapp.chat import abstention, generator
from webapp.errors import BadInput, NotFound, TooLarge
from webapp.graph import storage as graph_storage
from webapp.knowledge import storage
from webapp.knowledge.web.sources import web_sources
from webapp.limits import meter, tokens
from webapp.ops import answer_times

log = logging.getLogger(__name__)

ANSWER_SECONDS = 120.0
"""An answer that takes longer ends with an error that can be tried again."""
PATIENCE_SECONDS = 30.0
"""How long a question waits for a model service that is being restarted."""

Events = AsyncIterator[SourcesEvent | DeltaEvent | AnswerDone | AnswerError]
Event = TypeVar("Event", SourcesEvent, DeltaEvent, AnswerDone)


@cache
def model_service() -> ModelService:
    """This process's client of the model service; addresses are looked up each time that it connects."""
    return ModelService(lambda: settings.MODELS_SERVICE_URLS, patience_seconds=PATIENCE_SECONDS)


def check_question(text: str) -> str:
    """The question without the space around it; BadInput or TooLarge when it cannot be asked."""
    try:
        return qa_answer.check_question(encodable(text))
    except BadQuestion as error:
        if error.code == "too_large":
            raise TooLarge(
                _("The question has %(has)s characters; at most %(most)s can be asked. Put long texts into a "
                  "collection and ask about them.") % {"has": len(text.strip()), "most": MAX_QUESTION_CHARACTERS}
            ) from None
        raise BadInput(_("The question is empty. Write what you want to know."), "question") from None


async def events(
    user: User, question: str, collection_ids: Sequence[str] = (), history: Sequence[Turn] = (),
    *, generate: bool | None = None, answer: int | None = None,
) -> Events:
    """The answer from those of the collections that `user` may read now; from all of these when none is named.

    The last event is AnswerDone or AnswerError. Closing the iterator stops the work on the model service.

    Args:
        answer: the row that it is saved in, if it is.
    """
    readable = await database_sync_to_async(_readable)(user, list(collection_ids))
    used = tokens.count(question)
    try:
        async with aclosing(answer_times.measured(events_from(
            readable, question, history, client=str(user.pk), generate=generate
        ), answer)) as answering:
            async for event in answering:
                used += tokens.count(event.text) if isinstance(event, DeltaEvent) else 0
                yield event
    finally:
        await asyncio.to_thread(meter.charge, user, used)


def named_collections(user: User, names: Sequence[str]) -> list[str]:
    """The ids of the readable collections with these ids or names; NotFound when one of them is not there."""
    readable = {str(pk): name for pk, name in access.readable_collections(user).values_list("pk", "name")}
    found: list[str] = []
    for wanted in names:
        matching = [pk for pk, name in readable.items() if wanted.lower() == pk or wanted == name]
        if not matching:
            raise NotFound(_("There is no collection %(id)s that you may read.") % {"id": wanted[:80]})
        found += matching
    return found


def _readable(user: User, identifiers: list[str]) -> list[str]:
    collections = access.readable_collections(user)
    if identifiers:
        collections = collections.filter(pk__in=identifiers)
    return [str(pk) for pk in collections.values_list("pk", flat=True)]


async def events_from(
    collection_ids: Sequence[str],
    question: str,
    history: Sequence[Turn] = (),
    *,
    client: str = "",
    models: Models | None = None,
    generate: bool | None = None,
) -> Events:
    """`events` for collections that have been checked, with this process's model service unless `models` is given.

    Args:
        generate: whether a text generator writes the answer; by default where there is one.
    """
    collections = [(identifier, storage.index(identifier)) for identifier in collection_ids]
    if generate is None:
        generate = await asyncio.to_thread(generator.writes)
    graph = await asyncio.to_thread(_graph)
    answering = qa_answer.answer(
        question, collections=collections, documents=storage.documents(), models=models or model_service(),
        history=history, client=client, generate=generate, graph=graph,
        abstain_below=await database_sync_to_async(abstention.bar)(),
    )
    deadline = time.monotonic() + ANSWER_SECONDS
    try:
        async with aclosing(answering):
            while True:
                async with asyncio.timeout(deadline - time.monotonic()):
                    event = await anext(answering, None)
                if event is None:
                    return
                yield await _with_addresses(event)
    except BadQuestion as error:
        yield AnswerError(code=error.code, message=error.message)
    except ModelsError as error:
        log.warning("no answer: %s", error.message)
        yield AnswerError(code=error.code, message=_sentence(error), retryable=error.retryable)
    except TimeoutError:
        yield AnswerError(code="deadline", message=_("The answer took too long. Try again."), retryable=True)
    except Exception:
        log.exception("an answer failed")
        yield failure()


def _graph() -> Graph | None:
    """The knowledge graph, None where nothing was imported. It is the whole site's: everyone's answers are compared.
    """
    try:
        return graph_storage.store().open()
    except GraphDamaged as error:
        log.error("answers are not compared with the knowledge graph: %s", error)
        return None


def _sentence(error: ModelsError) -> str:
    """For the person who asked: without addresses, which are in the log."""
    if error.code == "unavailable" and error.retryable:
        return _("The model service does not answer just now. Try again in a moment.")
    if error.code == "busy":
        return _("Too many questions are being asked just now. Try again in a moment.")
    return error.message


def failure() -> AnswerError:
    """What an answer ends with when something happened that nobody foresaw; the log says what."""
    return AnswerError(code="internal", message=_("Something went wrong on the server. Its log says what."),
                       retryable=True)


async def _with_addresses(event: Event) -> Event:
    """The event with the address at which each citation opens, and the one that its document came from."""
    if isinstance(event, SourcesEvent):
        return event.model_copy(update={"sources": await linked(event.sources)})
    if isinstance(event, AnswerDone):
        return event.model_copy(update={
            "citations": await linked(event.citations), "nearest": await linked(event.nearest)})
    return event


async def linked(citations: Sequence[Citation]) -> list[Citation]:
    """The citations with the address of their place, and that of the page on the web that they come from, if any."""
    if not citations:
        return []
    sources = await database_sync_to_async(web_sources)(citation.document for citation in citations)
    return [
        citation.model_copy(update={
            "url": address(citation), "source": sources.get(citation.document, ""),
            "also_in": [other.model_copy(update={"url": address(other)}) for other in citation.also_in],
        }) for citation in citations
    ]


def address(citation: Citation | AlsoIn) -> str:
    """The page of the document, at the citation, with the answer in it marked."""
    place = {"start": citation.start, "end": citation.end}
    if isinstance(citation, Citation) and citation.span_end > citation.span_start:
        place |= {"span_start": citation.span_start, "span_end": citation.span_end}
    return f"{reverse('document', args=[citation.document])}?{urlencode(place)}"
