"""Answers are produced: each by a task of its own, followed by any number of sockets (`webapp/production/`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from django.utils.translation import gettext as _
from pydantic import BaseModel

from models_service.protocol import AnswerDone, AnswerError, DeltaEvent, SourcesEvent
from webapp.chat import answering, records
from webapp.chat.records import Ending, Job
from webapp.production.kind import Record
from webapp.production.producer import Producer


class Answers:
    """How an answer is made, and where it is kept."""

    name = "answer"

    async def record(self, identifier: int) -> Record | None:
        return await records.read(identifier)

    async def job(self, identifier: int) -> Job | None:
        return await records.job(identifier)

    def events(self, job: Job) -> AsyncGenerator[BaseModel, None]:
        return answering.events(job.user, job.question, job.collections, job.history,
                                answer=job.start["answer"]["id"])

    def ending(self, last: BaseModel | None, seen: Sequence[BaseModel]) -> Ending:
        """A stopped or failed answer keeps what was said so far, and the passages that were being read."""
        if isinstance(last, AnswerDone):
            return records.done(last)
        text = "".join(event.text for event in seen if isinstance(event, DeltaEvent))
        sources = [event.model_dump()["sources"] for event in seen if isinstance(event, SourcesEvent)]
        kept = sources[-1] if sources else []
        return records.failed(last, text, kept) if isinstance(last, AnswerError) else records.stopped(text, kept)

    def failure(self) -> AnswerError:
        return answering.failure()

    async def save(self, identifier: int, ending: Ending) -> bool:
        return await records.save(identifier, ending)

    def gone(self) -> AnswerError:
        return AnswerError(code="not_found", message=_("This conversation has been deleted."))


producer = Producer(Answers())
start, stop, follow, log_name = producer.start, producer.stop, producer.follow, producer.log_name
_running = producer.running
