"""Summaries are produced: each by a task of its own, followed by any number of sockets (`webapp/production/`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _
from pydantic import BaseModel

from models_service.protocol import AnswerError
from models_service.protocol_summarized_text import SummaryDone
from webapp.accounts.models import User
from webapp.chat import answering
from webapp.errors import NotFound
from webapp.production.kind import Record
from webapp.production.producer import Producer
from webapp.writing import summaries, summarizing, summary_texts
from webapp.writing.summarizing import Wanted
from webapp.writing.summary_models import SummarizedText, Summary, SummaryStatus


@dataclass(frozen=True)
class Job:
    user: User
    source: SummarizedText
    wanted: Wanted
    start: dict[str, Any]


@dataclass(frozen=True)
class Ending:
    status: SummaryStatus
    event: dict[str, Any]


class Summaries:
    """How a summary is made, and where it is kept."""

    name = "summary"

    @database_sync_to_async
    def record(self, identifier: int) -> Record | None:
        summary = Summary.objects.filter(pk=identifier).first()
        return summary and Record(summary.status != SummaryStatus.RUNNING, _asked(summary), summary.payload)

    @database_sync_to_async
    def job(self, identifier: int) -> Job | None:
        running = Summary.objects.select_related("source__owner", "source__document")
        summary = running.filter(pk=identifier, status=SummaryStatus.RUNNING).first()
        if summary is None:
            return None
        wanted = Wanted(summary.wanted_length, summary.style, summary.method, summary.language)
        return Job(summary.source.owner, summary.source, wanted, _asked(summary))

    async def events(self, job: Job) -> AsyncGenerator[BaseModel, None]:
        try:
            text, structure = await database_sync_to_async(summary_texts.read)(job.source, job.user)
        except NotFound as error:
            yield AnswerError(code="not_found", message=error.message)
            return
        working = summarizing.events(job.user, text, job.wanted, structure=structure)
        async with aclosing(working) as events:
            async for event in events:
                if getattr(event, "type", "") != "start":  # the row's own start has been sent
                    yield event

    def ending(self, last: BaseModel | None, seen: Sequence[BaseModel]) -> Ending:
        if isinstance(last, SummaryDone):
            return Ending(SummaryStatus.DONE, last.model_dump())
        event = last or summaries.stopped_event()
        status = SummaryStatus.FAILED if last else SummaryStatus.STOPPED
        return Ending(status, event.model_dump())

    def failure(self) -> AnswerError:
        return answering.failure()

    @database_sync_to_async
    def save(self, identifier: int, ending: Ending) -> bool:
        running = Summary.objects.filter(pk=identifier, status=SummaryStatus.RUNNING)
        return bool(running.update(status=ending.status, payload=ending.event))

    def gone(self) -> AnswerError:
        return AnswerError(code="not_found", message=_("This summary has been deleted."))


def _asked(summary: Summary) -> dict[str, Any]:
    return {
        "type": "start", "key": summary.key, "length": summary.wanted_length, "style": summary.style,
        "method": summary.method,
    }


producer = Producer(Summaries())
