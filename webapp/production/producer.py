"""Produces an answer or a summary as a task of its own, whoever watches, and lets any number of sockets follow it.

The task numbers the events and appends them to the event log; in the end it saves the row, once, and only then
appends the last event. A lease in Redis says that somebody is at it. Whoever follows something unfinished that no
lease covers takes it over: the process that was at it has died. What counts is the row: while Redis is away the work
is done and saved all the same, and followers read its end from there.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from django.utils.translation import gettext as _
from pydantic import BaseModel
from redis.exceptions import RedisError

from models_service import trace
from webapp import cancelling, event_log
from webapp.errors import Unavailable
from webapp.limits.slots import Slot
from webapp.production import stopping
from webapp.production.kind import LAST_TYPES, Kind
from webapp.production.lease import Lease

log = logging.getLogger(__name__)

RENEW_SECONDS = 2.0
LOOK_AGAIN_MS = 1000
"""A follower that has heard nothing for this long looks at the row and at the lease."""
REDIS_SECONDS = 2.0
REDIS_PAUSE_SECONDS = 0.5
NO_REDIS = (RedisError, OSError, TimeoutError)


class Producer:
    """Produces things of one kind, in this process and, by leases, together with all others."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.running: dict[int, Production] = {}
        """What this process is producing, by its id."""

    def log_name(self, identifier: int) -> str:
        return f"{self.kind.name}:{identifier}"

    def lease(self, redis: Any, identifier: int, token: str = "") -> Lease:
        return Lease(redis, self.log_name(identifier), token)

    def start(self, identifier: int, *, after: int | None = None) -> None:
        """Produce it in the background, unless somebody is at it already.

        `after` is None for something new. For what is taken over it is the number of the last event that was seen of
        it: the new events' numbers go on from there.
        """
        if identifier not in self.running:
            production = self.running[identifier] = Production(self, identifier, after)
            production.task = asyncio.create_task(production.run(), name=self.log_name(identifier))

    async def stop(self, identifier: int) -> None:
        """Stop it in whichever process it is produced; Unavailable when that process cannot be reached now."""
        production = self.running.get(identifier)
        if production is not None:
            production.stop()
            await asyncio.wait({production.task})
            return
        async with event_log.async_redis() as redis:
            try:
                if await self.lease(redis, identifier).is_held():
                    await stopping.ask_to_stop(redis, self.log_name(identifier))
                    return
            except NO_REDIS:
                raise Unavailable(_("It cannot be stopped just now. Try again in a moment.")) from None
        await self.kind.save(identifier, self.kind.ending(None, []))

    async def follow(self, identifier: int, after: int = 0) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """Its events after number `after`, as (number, event), to the last one, which is "done" or "error"."""
        name, seen = self.log_name(identifier), after
        async with event_log.async_redis() as redis:
            while True:
                record = await self.kind.record(identifier)
                if record is None:
                    yield seen + 1, self.kind.gone().model_dump()
                    return
                try:
                    abandoned = not record.is_finished and identifier not in self.running
                    if abandoned and not await self.lease(redis, identifier).is_held():
                        self.start(identifier, after=seen)
                    wait_ms = 1 if record.is_finished else LOOK_AGAIN_MS
                    async with aclosing(event_log.follow(redis, name, seen, wait_ms=wait_ms)) as events:
                        async for item in events:
                            if item is None:
                                break
                            yield item
                            seen = item[0]
                            if item[1]["type"] in LAST_TYPES:
                                return
                except NO_REDIS:
                    if not record.is_finished:
                        await asyncio.sleep(REDIS_PAUSE_SECONDS)
                if record.is_finished:
                    for event in ([record.start] if not seen else []) + [record.last]:
                        seen += 1
                        yield seen, event
                    return


class Production:
    """One thing in the making."""

    def __init__(self, producer: Producer, identifier: int, after: int | None) -> None:
        self.identifier = identifier
        self.name = producer.log_name(identifier)
        self.task: asyncio.Task[None]
        self._producer = producer
        self._kind = producer.kind
        self._after = after
        self._number = 0
        self._unsent: list[tuple[int, dict[str, Any]]] = []
        self._quiet_until = 0.0
        self._seen: list[BaseModel] = []
        self._work: asyncio.Task[BaseModel] | None = None
        self._stop_asked = False
        self._lease_lost = False

    def stop(self) -> None:
        self._stop_asked = True
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        trace.current.set(self.name.replace(":", "-"))
        try:
            async with event_log.async_redis() as redis:
                self._redis = redis
                self._lease = self._producer.lease(redis, self.identifier, uuid.uuid4().hex)
                if not await self._may_begin():
                    return
                try:
                    await self._produce_and_save()
                finally:
                    # A process that is being shut down lets go, so that the next one can take over at once.
                    with suppress(*NO_REDIS):
                        async with asyncio.timeout(REDIS_SECONDS):
                            await self._lease.release()
        except Exception:
            log.exception("%s could not be produced; whoever opens it next tries again", self.name)
        finally:
            self._producer.running.pop(self.identifier, None)

    async def _may_begin(self) -> bool:
        """Take the lease. Without Redis only something new begins: nobody else can know of it yet."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                if not await self._lease.hold():
                    return False
                if self._after is None:
                    await event_log.clear(self._redis, self.name)
                else:
                    last = await event_log.last_number(self._redis, self.name)
                    self._number = max(last, self._after)
            return True
        except NO_REDIS as error:
            log.warning("Redis does not answer (%s); %s", error, self.name)
            return self._after is None

    async def _produce_and_save(self) -> None:
        job = await self._kind.job(self.identifier)
        if job is None:
            return
        # The page's own key for what it asked: by it the page, every process' log and the engine's are one story.
        if trace.acceptable(key := job.start.get("key", "")):
            trace.current.set(key)
        await self._send(job.start)
        self._work = asyncio.create_task(self._produce(job))
        watch = asyncio.create_task(self._keep_lease_and_hear_stop())
        if self._stop_asked:
            self._work.cancel()
        try:
            while not self._work.done():
                # A cancellation may be swallowed (see `cancelling`): ask again.
                await asyncio.wait({self._work}, timeout=cancelling.ASK_AGAIN_SECONDS)
                if self._stop_asked or self._lease_lost:
                    self._work.cancel()
        finally:
            await cancelling.end(watch, self._work)
        if self._lease_lost:
            log.warning("%s was taken over by another process", self.name)
            return
        ending = self._ending(self._work)
        if await self._kind.save(self.identifier, ending):
            self._quiet_until = 0.0
            await self._send(ending.event)

    def _ending(self, work: asyncio.Task[BaseModel]) -> Any:
        if work.cancelled():
            return self._kind.ending(None, self._seen)
        try:
            last = work.result()
        except Exception:  # saved as it is, or it would be taken over and fail again for ever
            log.exception("%s failed", self.name)
            last = self._kind.failure()
        return self._kind.ending(last, self._seen)

    async def _produce(self, job: Any) -> BaseModel:
        """Send the events as they come; the last one is returned, to be saved before it is sent."""
        async with Slot(job.user), aclosing(self._kind.events(job)) as events:
            async for event in events:
                if event.type in LAST_TYPES:
                    return event
                self._seen.append(event)
                await self._send(event.model_dump())
        raise RuntimeError("the work ended without its last event")

    async def _send(self, event: dict[str, Any]) -> None:
        """Append to the log. What Redis does not take now is kept, in order, for the next time."""
        self._number += 1
        self._unsent.append((self._number, event))
        if time.monotonic() < self._quiet_until:
            return
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                if not await self._lease.hold():
                    self._lose_lease()
                    return
                while self._unsent:
                    await event_log.append(self._redis, self.name, *self._unsent[0])
                    del self._unsent[0]
        except NO_REDIS as error:
            self._quiet_until = time.monotonic() + REDIS_PAUSE_SECONDS
            log.warning("Redis does not answer (%s); %s goes on without it", error, self.name)

    async def _keep_lease_and_hear_stop(self) -> None:
        while True:
            try:
                if not await self._lease.hold():
                    self._lose_lease()
                    return
                if await stopping.asked_to_stop(self._redis, self.name, RENEW_SECONDS):
                    self.stop()
                    return
            except NO_REDIS:
                await asyncio.sleep(REDIS_PAUSE_SECONDS)

    def _lose_lease(self) -> None:
        self._lease_lost = True
        if self._work is not None:
            self._work.cancel()
