"""A socket on which a page says what it wants: who says it, floods, frames that cannot be understood, errors.

What the messages are and mean is each page's own: it gives `messages` and `handle`.
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import BaseModel, TypeAdapter, ValidationError

from models_service import trace
from models_service.protocol import MAX_BROWSER_FRAME_BYTES
from webapp import access
from webapp.accounts.models import User
from webapp.errors import BadInput, Busy, NotSignedIn, SiteError, TooLarge
from webapp.limits import meter, stranger
from webapp.sockets.flood import Allowance
from webapp.sockets.language import language_of

log = logging.getLogger(__name__)

NOT_SIGNED_IN, TOO_MANY_FRAMES = 4401, 4429
MOST_KEY_CHARACTERS = 64


class PageConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = ""  # none: nothing comes over it, so a restart of Redis does not end the socket
    messages: TypeAdapter
    starting: tuple[type[BaseModel], ...] = ()
    """The messages that start something, which counts as a request does."""
    key = "key"
    """The field by which the page recognises its message; an error about the message carries it too."""
    most_bytes = MAX_BROWSER_FRAME_BYTES

    async def handle(self, user: Any, message: Any) -> None:
        """Do what a message of `user` asks for; raises SiteError."""
        raise NotImplementedError

    async def visitor(self) -> User | AnonymousUser:
        """Whom the socket belongs to; NotSignedIn when that may be nobody."""
        return await access.person(self.scope)

    def too_large(self) -> str:
        """What is said of a frame that is too large."""
        return _("This message is larger than %(limit)s KB.") % {"limit": self.most_bytes // 1024}

    async def connect(self) -> None:
        self._allowance = Allowance()
        translation.activate(await database_sync_to_async(language_of)(self.scope))
        await self.accept()
        try:
            await database_sync_to_async(access.require)(self.scope["user"], "chat")
        except SiteError as error:
            await self.send_error(error)
            await self.close(NOT_SIGNED_IN)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.spend():
            if self._allowance.is_abused:
                await self.close(TOO_MANY_FRAMES)
            elif self._allowance.is_first_refusal:
                await self.send_error(Busy(_("Too many messages at once. Wait a few seconds.")))
            return
        key = self._key_of(text_data or "")
        trace.current.set(key if trace.acceptable(key) else uuid.uuid4().hex[:12])
        try:
            message, user = self._parsed(text_data), await self._visitor_now()
            if isinstance(message, self.starting):
                await database_sync_to_async(self._admit)(user)
            await self.handle(user, message)
        except SiteError as error:
            await self.send_error(error, key)
        except Exception:
            log.exception("a frame could not be handled")
            failure = SiteError(_("Something went wrong on the server. Its log says what."))
            failure.code, failure.retryable = "internal", True
            await self.send_error(failure, key)

    async def _visitor_now(self) -> User | AnonymousUser:
        """The visitor as they are now: an account may have been closed since the socket opened."""
        user = await self.visitor()
        if user.is_authenticated:
            try:
                await user.arefresh_from_db(fields=["is_active", "role"])
            except User.DoesNotExist:
                raise NotSignedIn(_("Sign in first.")) from None
        access.require(user, "chat")
        return user

    @property
    def stranger(self) -> str:
        """What somebody unknown is counted as."""
        return stranger.named((self.scope.get("client") or [""])[0])

    def _admit(self, user: User | AnonymousUser) -> None:
        meter.admit(user, stranger=self.stranger, uses_tokens=True)
        meter.check_slots(user, self.stranger)

    async def send_error(self, error: SiteError, key: str = "") -> None:
        event: dict[str, Any] = {
            "type": "error", "code": error.code, "message": error.message, "retryable": error.retryable,
        }
        await self.send(json.dumps({**event, self.key: key} if key else event))

    def _parsed(self, text: str | None) -> Any:
        if text is None:
            raise BadInput(_("A frame must be JSON text, not binary."))
        if len(text.encode()) > self.most_bytes:
            raise TooLarge(self.too_large())
        try:
            return self.messages.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            sentence = f"{place}: {first['msg']}" if place else first["msg"]
            raise BadInput(_("This message cannot be understood: %(why)s.") % {"why": sentence[:300]}) from None

    def _key_of(self, text: str) -> str:
        """The key of a frame that may be wrong otherwise; "" when it has none."""
        try:
            key = json.loads(text)[self.key]
        except (ValueError, TypeError, KeyError, RecursionError):
            return ""
        return key if isinstance(key, str) and len(key) <= MOST_KEY_CHARACTERS else ""
