"""The rows of an answer as the producer and its followers need them: what is to be done, how it stands, its end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from models_service.protocol import AnswerDone, AnswerError
from qa.answer import Turn
from webapp.accounts.models import User
from webapp.chat.models import Conversation, Message, MessageRole, MessageStatus
from webapp.chat.services import stopped_event
from webapp.production.kind import Record

log = logging.getLogger(__name__)
TURNS_REMEMBERED = 10


@dataclass(frozen=True)
class Job:
    """What a producer needs to know."""

    user: User
    question: str
    collections: list[str]
    history: list[Turn]
    start: dict[str, Any]


@dataclass(frozen=True)
class Ending:
    """How an answer ends: what its row keeps, and the event that is sent."""

    status: MessageStatus
    text: str
    event: dict[str, Any]
    sources: list[dict[str, Any]] = field(default_factory=list)


def done(event: AnswerDone) -> Ending:
    return Ending(MessageStatus.DONE, event.answer, event.model_dump())


def failed(event: AnswerError, text: str = "", sources: Sequence[dict[str, Any]] = ()) -> Ending:
    return Ending(MessageStatus.FAILED, text, event.model_dump(), list(sources))


def stopped(text: str = "", sources: Sequence[dict[str, Any]] = ()) -> Ending:
    return Ending(MessageStatus.STOPPED, text, stopped_event().model_dump(), list(sources))


@database_sync_to_async
def job(answer_id: int) -> Job | None:
    """None when the answer is finished or gone."""
    answer = _answer(answer_id)
    if answer is None or answer.status != MessageStatus.RUNNING:
        return None
    question = answer.parent
    return Job(
        user=answer.conversation.owner, question=question.text,
        collections=question.payload.get("collections", []), history=history(question), start=_start(answer),
    )


def history(question: Message) -> list[Turn]:
    """What was asked and answered before `question` in its conversation, oldest first; nothing superseded."""
    before = question.conversation.messages.filter(superseded=False, pk__lt=question.pk)
    asked = list(before.filter(role=MessageRole.QUESTION).order_by("-pk")[:TURNS_REMEMBERED])
    current = Message.objects.filter(parent__in=asked, superseded=False, status=MessageStatus.DONE)
    answers = {answer.parent_id: answer for answer in current}
    return [_turn(earlier, answers.get(earlier.pk)) for earlier in reversed(asked)]


def _turn(question: Message, answer: Message | None) -> Turn:
    said = answer.payload if answer is not None else {}
    return Turn(said.get("question") or question.text, said.get("answer", ""), said.get("span", ""))


@database_sync_to_async
def read(answer_id: int) -> Record | None:
    """How the answer stands now; None when it is gone."""
    answer = _answer(answer_id)
    if answer is None:
        return None
    last = {name: value for name, value in answer.payload.items() if name != "sources"}
    return Record(answer.status != MessageStatus.RUNNING, _start(answer), last)


@database_sync_to_async
def save(answer_id: int, ending: Ending) -> bool:
    """Give the answer its end; False when it has one already or is gone. So there is one end, whoever is first."""
    kept = {**ending.event, "sources": ending.sources} if ending.sources else ending.event
    with transaction.atomic():
        running = Message.objects.filter(pk=answer_id, status=MessageStatus.RUNNING)
        changed = running.update(status=ending.status, text=ending.text, payload=kept)
        Conversation.objects.filter(messages=answer_id).update(updated_at=timezone.now())
    return bool(changed)


def _answer(answer_id: int) -> Message | None:
    return Message.objects.select_related("parent", "conversation__owner").filter(pk=answer_id).first()


def _start(answer: Message) -> dict[str, Any]:
    return {
        "type": "start",
        "key": answer.key,
        "question": {"id": answer.parent_id, "text": answer.parent.text},
        "answer": {"id": answer.pk},
        "title": answer.conversation.title,
    }
