"""/ws/translate/: the text as it is typed. A newer text takes the place of the one before, whose work is stopped."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import Any

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _

from models_service.protocol_translated_text import (
    CancelTranslation,
    KeepTranslation,
    TranslateMessage,
    TranslateTextDone,
    TranslatingMessage,
    parse_translating_message,
)
from webapp.limits.slots import Slot
from webapp.sockets.page import PageConsumer
from webapp.writing import translating, translation_history

log = logging.getLogger(__name__)


class TranslateConsumer(PageConsumer):
    """Takes translate, cancel and keep; sends start, delta, done and error, each with the id of its message."""

    messages = parse_translating_message
    key = "id"
    starting = (TranslateMessage,)
    most_bytes = 256 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task: asyncio.Task[None] | None = None
        self._id = ""
        self._done: tuple[str, str, TranslateTextDone] | None = None

    async def visitor(self) -> translating.Someone:
        """Nothing is written for a guest, so one needs no row."""
        return self.scope["user"]

    def too_large(self) -> str:
        return _("This text is too long for the page. Translate it as a file, or in parts.")

    async def disconnect(self, code: int) -> None:
        self._stop()

    async def handle(self, user: translating.Someone, message: TranslatingMessage) -> None:
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

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _translate(self, user: translating.Someone, text: str, message: TranslateMessage) -> None:
        client = f"user-{user.pk}" if user.is_authenticated else self.stranger
        options = {"source": message.source, "target": message.target, "format": message.format,
                   "alternatives": message.alternatives, "client": client}
        try:
            working = translating.events(user, text, **options)
            async with Slot(user, client), aclosing(working) as events:
                async for event in events:
                    if isinstance(event, TranslateTextDone):
                        self._done = (message.id, text, event)
                    await self._send(message.id, event.model_dump())
        except Exception:
            log.exception("a translation can no longer be sent")
            await self.close()  # the page comes back and asks again

    async def _send(self, identifier: str, event: dict[str, Any]) -> None:
        await self.send(json.dumps({**event, "id": identifier}))
