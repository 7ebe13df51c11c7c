"""/ws/summarize/: reads a message, calls a service, replies. One socket follows any number of summaries."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from models_service.protocol_summarized_text import (
    CancelSummary,
    ResumeSummary,
    StartSummary,
    SummarizeMessage,
    SummaryEnvelope,
    parse_summarize_message,
)
from webapp.accounts.models import User
from webapp.production.following import FollowingConsumer
from webapp.writing import summaries
from webapp.writing.summary_producer import producer


class SummarizeConsumer(FollowingConsumer):
    messages = parse_summarize_message
    starting = (StartSummary,)
    producer = producer

    async def handle(self, user: User, message: SummarizeMessage) -> None:
        match message:
            case StartSummary():
                started = await database_sync_to_async(summaries.start)(user, message)
                if started.fresh:
                    producer.start(started.summary.pk)
                self.follow(started.summary.pk, str(started.summary.source_id), 0)
            case ResumeSummary():
                summary = await database_sync_to_async(summaries.own_summary)(user, message.summary)
                self.follow(summary.pk, str(summary.source_id), message.after)
            case CancelSummary():
                summary = await database_sync_to_async(summaries.own_summary)(user, message.summary)
                await producer.stop(summary.pk)

    def envelope(self, identifier: int, owner: str, number: int, event: dict[str, Any]) -> SummaryEnvelope:
        return SummaryEnvelope(summary=identifier, source=owner, seq=number, event=event)
