"""What is under way at once: each holds a slot while it lasts, renewed, so that a killed process frees its own."""

from __future__ import annotations

import asyncio
import uuid

from django.contrib.auth.models import AnonymousUser

from webapp.accounts.models import User
from webapp.limits import meter, store

RENEW_SECONDS = store.SLOT_MS / 1000 / 3


class Slot:
    """Held by `async with` while something is under way. `take` it before, where it may still be refused."""

    def __init__(self, user: User | AnonymousUser, stranger: str = "") -> None:
        self._user, self._stranger = user, stranger
        self._key, self._name = meter.slots_key(user, stranger), uuid.uuid4().hex

    def take(self) -> Slot:
        """Raises LimitReached. A slot that is taken and not held then ends by itself."""
        meter.take_slot(self._user, self._name, stranger=self._stranger)
        return self

    async def __aenter__(self) -> Slot:
        await self._hold()
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._renewing.cancel()
        await asyncio.to_thread(store.free, self._key, self._name)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._hold()

    async def _hold(self) -> None:
        await asyncio.to_thread(store.hold, self._key, self._name, None)
