"""/ws/chat/: reads a message, calls a service, replies. One socket follows any number of answers."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _

from models_service.protocol import (
    MAX_BROWSER_FRAME_BYTES,
    AskMessage,
    BrowserMessage,
    ChatEnvelope,
    RegenerateMessage,
    ResumeMessage,
    StopMessage,
    parse_browser_message,
)
from webapp.accounts.models import User
from webapp.chat import services
from webapp.chat.models import Message
from webapp.chat.producer import producer
from webapp.production.following import FollowingConsumer


class ChatConsumer(FollowingConsumer):
    messages = parse_browser_message
    starting = (AskMessage, RegenerateMessage)
    producer = producer

    async def handle(self, user: User, message: BrowserMessage) -> None:
        match message:
            case AskMessage():
                asked = await database_sync_to_async(services.ask)(
                    user, message.key, message.question, conversation_id=message.conversation,
                    collection_ids=message.collections, replaces=message.replaces,
                )
                self._begin(asked)
            case RegenerateMessage():
                asked = await database_sync_to_async(services.regenerate)(user, message.key, message.message)
                self._begin(asked)
            case ResumeMessage():
                answer = await database_sync_to_async(services.own_answer)(user, message.message)
                self._follow(answer, message.after)
            case StopMessage():
                answer = await database_sync_to_async(services.own_answer)(user, message.message)
                await producer.stop(answer.pk)

    def envelope(self, identifier: int, owner: str, number: int, event: dict[str, Any]) -> ChatEnvelope:
        return ChatEnvelope(message=identifier, conversation=owner, seq=number, event=event)

    def too_large(self) -> str:
        return _("This message is larger than %(limit)s KB. Shorten the question; put long texts into a collection "
                 "and ask about them.") % {"limit": MAX_BROWSER_FRAME_BYTES // 1024}

    def _begin(self, asked: services.Asked) -> None:
        if asked.fresh:
            producer.start(asked.answer.pk)
        self._follow(asked.answer, 0)

    def _follow(self, answer: Message, after: int) -> None:
        self.follow(answer.pk, str(answer.conversation_id), after)
