"""/ws/chat/: reads a frame, checks it, calls a service, replies. One socket follows any number of answers."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import ValidationError

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
from webapp import access
from webapp.accounts.models import User
from webapp.chat import producer, services
from webapp.chat.flood import Allowance
from webapp.chat.models import Message
from webapp.chat.socket_language import language_of
from webapp.errors import BadInput, Busy, NotSignedIn, SiteError, TooLarge

log = logging.getLogger(__name__)

MOST_FOLLOWED = 16
NOT_SIGNED_IN, TOO_MANY_FRAMES = 4401, 4429


class ChatConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = ""  # none: events come from the event log, so a restart of Redis does not end the socket

    async def connect(self) -> None:
        self._followers: dict[int, asyncio.Task[None]] = {}
        self._allowance = Allowance()
        translation.activate(await database_sync_to_async(language_of)(self.scope))
        await self.accept()
        try:
            await database_sync_to_async(access.require)(self.scope["user"], "chat")
        except SiteError as error:
            await self._send_error(error)
            await self.close(NOT_SIGNED_IN)

    async def disconnect(self, code: int) -> None:
        for task in self._followers.values():
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.spend():
            if self._allowance.is_abused:
                await self.close(TOO_MANY_FRAMES)
            elif self._allowance.is_first_refusal:
                await self._send_error(Busy(_("Too many messages at once. Wait a few seconds.")))
            return
        key = ""
        try:
            key, message = _parsed(text_data)
            await self._handle(message)
        except SiteError as error:
            await self._send_error(error, getattr(error, "key", key))
        except Exception:
            log.exception("a frame could not be handled")
            failure = SiteError(_("Something went wrong on the server. Its log says what."))
            failure.code, failure.retryable = "internal", True
            await self._send_error(failure, key)

    async def _handle(self, message: BrowserMessage) -> None:
        user = await self._person()
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

    async def _person(self) -> User:
        """Who asks, as they are now: an account may have been closed since the socket opened."""
        user = await access.person(self.scope)
        try:
            await user.arefresh_from_db(fields=["is_active", "role"])
        except User.DoesNotExist:
            raise NotSignedIn(_("Sign in first.")) from None
        access.require(user, "chat")
        return user

    def _begin(self, asked: services.Asked) -> None:
        if asked.fresh:
            producer.start(asked.answer.pk)
        self._follow(asked.answer, 0)

    def _follow(self, answer: Message, after: int) -> None:
        """Send the answer's events from a task of its own; following it once more begins anew."""
        earlier = self._followers.pop(answer.pk, None)
        if earlier is not None:
            earlier.cancel()
        if len(self._followers) >= MOST_FOLLOWED:
            raise Busy(_("This page follows too many answers at once. Wait until one of them is done."))
        task = asyncio.create_task(self._send_events(answer.pk, str(answer.conversation_id), after))
        self._followers[answer.pk] = task
        task.add_done_callback(lambda ended: self._forget(answer.pk, ended))

    def _forget(self, answer_id: int, task: asyncio.Task[None]) -> None:
        if self._followers.get(answer_id) is task:
            del self._followers[answer_id]

    async def _send_events(self, answer_id: int, conversation: str, after: int) -> None:
        try:
            async with aclosing(producer.follow(answer_id, after)) as events:
                async for number, event in events:
                    envelope = ChatEnvelope(message=answer_id, conversation=conversation, seq=number, event=event)
                    await self.send(envelope.model_dump_json())
        except Exception:
            # The page has its own way back: it resumes after the last number that it saw.
            log.exception("answer %s can no longer be followed", answer_id)
            await self.close()

    async def _send_error(self, error: SiteError, key: str = "") -> None:
        event: dict[str, Any] = {
            "type": "error", "code": error.code, "message": error.message, "retryable": error.retryable,
        }
        await self.send(json.dumps({**event, "key": key} if key else event))


def _parsed(text: str | None) -> tuple[str, BrowserMessage]:
    """The frame's key ("" when it has none) and the message; an error carries the key too, where one can be read."""
    if text is None:
        raise BadInput(_("A frame must be JSON text, not binary."))
    key = _key_of(text)
    try:
        if len(text.encode()) > MAX_BROWSER_FRAME_BYTES:
            raise TooLarge(_("This message is larger than %(limit)s KB. Shorten the question; put long texts into a "
                             "collection and ask about them.") % {"limit": MAX_BROWSER_FRAME_BYTES // 1024})
        try:
            return key, parse_browser_message.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            sentence = f"{place}: {first['msg']}" if place else first["msg"]
            raise BadInput(_("This message cannot be understood: %(why)s.") % {"why": sentence[:300]}) from None
    except SiteError as error:
        error.key = key
        raise


def _key_of(text: str) -> str:
    """The key by which the page recognises its message, from a frame that may be wrong otherwise."""
    try:
        key = json.loads(text)["key"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return key if isinstance(key, str) and len(key) <= 64 else ""
