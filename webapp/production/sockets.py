"""A socket on which a page starts things that are produced and follows them: checks, floods, errors, events.

What the messages are and mean is each page's own: it gives `messages`, `handle` and `envelope`.
"""

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
from pydantic import BaseModel, TypeAdapter, ValidationError

from models_service.protocol import MAX_BROWSER_FRAME_BYTES
from webapp import access
from webapp.accounts.models import User
from webapp.chat.flood import Allowance
from webapp.chat.socket_language import language_of
from webapp.errors import BadInput, Busy, NotSignedIn, SiteError, TooLarge
from webapp.production.producer import Producer

log = logging.getLogger(__name__)

MOST_FOLLOWED = 16
NOT_SIGNED_IN, TOO_MANY_FRAMES = 4401, 4429


class FollowingConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = ""  # none: events come from the event log, so a restart of Redis does not end the socket
    messages: TypeAdapter
    producer: Producer

    async def handle(self, user: User, message: Any) -> None:
        """Do what a message asks for; raises SiteError."""
        raise NotImplementedError

    def envelope(self, identifier: int, owner: str, number: int, event: dict[str, Any]) -> BaseModel:
        raise NotImplementedError

    def too_large(self) -> str:
        """What is said of a frame that is too large."""
        return _("This message is larger than %(limit)s KB.") % {"limit": MAX_BROWSER_FRAME_BYTES // 1024}

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
        key = _key_of(text_data or "")
        try:
            message = self._parsed(text_data)
            await self.handle(await self._person(), message)
        except SiteError as error:
            await self._send_error(error, key)
        except Exception:
            log.exception("a frame could not be handled")
            failure = SiteError(_("Something went wrong on the server. Its log says what."))
            failure.code, failure.retryable = "internal", True
            await self._send_error(failure, key)

    async def _person(self) -> User:
        """Who asks, as they are now: an account may have been closed since the socket opened."""
        user = await access.person(self.scope)
        try:
            await user.arefresh_from_db(fields=["is_active", "role"])
        except User.DoesNotExist:
            raise NotSignedIn(_("Sign in first.")) from None
        access.require(user, "chat")
        return user

    def follow(self, identifier: int, owner: str, after: int) -> None:
        """Send its events from a task of its own; following it once more begins anew. `owner`: what it belongs to."""
        earlier = self._followers.pop(identifier, None)
        if earlier is not None:
            earlier.cancel()
        if len(self._followers) >= MOST_FOLLOWED:
            raise Busy(_("This page follows too many answers at once. Wait until one of them is done."))
        task = asyncio.create_task(self._send_events(identifier, owner, after))
        self._followers[identifier] = task
        task.add_done_callback(lambda ended: self._forget(identifier, ended))

    def _forget(self, identifier: int, task: asyncio.Task[None]) -> None:
        if self._followers.get(identifier) is task:
            del self._followers[identifier]

    async def _send_events(self, identifier: int, owner: str, after: int) -> None:
        try:
            async with aclosing(self.producer.follow(identifier, after)) as events:
                async for number, event in events:
                    await self.send(self.envelope(identifier, owner, number, event).model_dump_json())
        except Exception:
            # The page has its own way back: it resumes after the last number that it saw.
            log.exception("%s can no longer be followed", self.producer.log_name(identifier))
            await self.close()

    async def _send_error(self, error: SiteError, key: str = "") -> None:
        event: dict[str, Any] = {
            "type": "error", "code": error.code, "message": error.message, "retryable": error.retryable,
        }
        await self.send(json.dumps({**event, "key": key} if key else event))

    def _parsed(self, text: str | None) -> Any:
        if text is None:
            raise BadInput(_("A frame must be JSON text, not binary."))
        if len(text.encode()) > MAX_BROWSER_FRAME_BYTES:
            raise TooLarge(self.too_large())
        try:
            return self.messages.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            sentence = f"{place}: {first['msg']}" if place else first["msg"]
            raise BadInput(_("This message cannot be understood: %(why)s.") % {"why": sentence[:300]}) from None


def _key_of(text: str) -> str:
    """The key by which the page recognises its message, from a frame that may be wrong otherwise."""
    try:
        key = json.loads(text)["key"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return key if isinstance(key, str) and len(key) <= 64 else ""
