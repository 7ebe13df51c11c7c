"""/ws/translate/: the text as it is typed. A newer text takes the place of the one before, whose work is stopped."""

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

from models_service.protocol_translated_text import (
    CancelTranslation,
    KeepTranslation,
    TranslateMessage,
    TranslateTextDone,
    TranslatingMessage,
    parse_translating_message,
)
from webapp import access
from webapp.accounts.models import User
from webapp.chat.flood import Allowance
from webapp.chat.socket_language import language_of
from webapp.errors import BadInput, Busy, NotSignedIn, SiteError, TooLarge
from webapp.writing import translating, translation_history

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = 256 * 1024
NOT_SIGNED_IN, TOO_MANY_FRAMES = 4401, 4429


class TranslateConsumer(AsyncWebsocketConsumer):
    """Takes translate, cancel and keep; sends start, delta, done and error, each with the id of its message."""

    channel_layer_alias = ""  # none: nobody else sends to this socket

    async def connect(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._id = ""
        self._done: tuple[str, str, TranslateTextDone] | None = None
        self._allowance = Allowance()
        translation.activate(await database_sync_to_async(language_of)(self.scope))
        await self.accept()
        try:
            await database_sync_to_async(access.require)(self.scope["user"], "chat")
        except SiteError as error:
            await self._send_error(error)
            await self.close(NOT_SIGNED_IN)

    async def disconnect(self, code: int) -> None:
        self._stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.spend():
            if self._allowance.is_abused:
                await self.close(TOO_MANY_FRAMES)
            elif self._allowance.is_first_refusal:
                await self._send_error(Busy(_("Too many messages at once. Wait a few seconds.")))
            return
        identifier = ""
        try:
            identifier, message = _parsed(text_data)
            await self._handle(message)
        except SiteError as error:
            await self._send_error(error, getattr(error, "key", identifier))
        except Exception:
            log.exception("a frame could not be handled")
            failure = SiteError(_("Something went wrong on the server. Its log says what."))
            failure.code, failure.retryable = "internal", True
            await self._send_error(failure, identifier)

    async def _handle(self, message: TranslatingMessage) -> None:
        user = await self._visitor()
        match message:
            case TranslateMessage():
                self._stop()
                text = translating.check_text(message.text)
                self._id = message.id
                self._task = asyncio.create_task(self._translate(user, text, message))
            case CancelTranslation():
                if message.id == self._id and self._task is not None and not self._task.done():
                    self._stop()
                    await self._send(message.id, {"type": "error", "code": "cancelled", "message": _("Stopped."),
                                                  "retryable": True})
            case KeepTranslation():
                if self._done and self._done[0] == message.id and user.is_authenticated:
                    await database_sync_to_async(translation_history.keep)(user, *self._done[1:])

    async def _visitor(self) -> translating.Someone:
        """Who translates, as they are now; nothing is written for a guest, so one needs no row."""
        user = self.scope["user"]
        if user.is_authenticated:
            try:
                await user.arefresh_from_db(fields=["is_active", "role"])
            except User.DoesNotExist:
                raise NotSignedIn(_("Sign in first.")) from None
        access.require(user, "chat")
        return user

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _translate(self, user: translating.Someone, text: str, message: TranslateMessage) -> None:
        client = f"user-{user.pk}" if user.is_authenticated else f"socket-{id(self)}"
        options = {"source": message.source, "target": message.target, "format": message.format,
                   "alternatives": message.alternatives, "client": client}
        try:
            async with aclosing(translating.events(user, text, **options)) as events:
                async for event in events:
                    if isinstance(event, TranslateTextDone):
                        self._done = (message.id, text, event)
                    await self._send(message.id, event.model_dump())
        except Exception:
            log.exception("a translation can no longer be sent")
            await self.close()  # the page comes back and asks again

    async def _send(self, identifier: str, event: dict[str, Any]) -> None:
        await self.send(json.dumps({**event, "id": identifier}))

    async def _send_error(self, error: SiteError, identifier: str = "") -> None:
        await self._send(identifier, {
            "type": "error", "code": error.code, "message": error.message, "retryable": error.retryable,
        })


def _parsed(text: str | None) -> tuple[str, TranslatingMessage]:
    """The frame's id ("" when it has none) and the message; an error carries the id too, where one can be read."""
    if text is None:
        raise BadInput(_("A frame must be JSON text, not binary."))
    if len(text.encode()) > MAX_FRAME_BYTES:
        error: SiteError = TooLarge(_("This text is too long for the page. Translate it as a file, or in parts."))
        error.key = _id_of(text)
        raise error
    try:
        message = parse_translating_message.validate_json(text)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        sentence = f"{place}: {first['msg']}" if place else first["msg"]
        error = BadInput(_("This message cannot be understood: %(why)s.") % {"why": sentence[:300]})
        error.key = _id_of(text)
        raise error from None
    return message.id, message


def _id_of(text: str) -> str:
    try:
        found = json.loads(text)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return found if isinstance(found, str) and len(found) <= 64 else ""
