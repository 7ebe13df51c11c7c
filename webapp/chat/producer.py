"""Produces an answer as a task of its own, whoever watches, and lets any number of sockets follow it.

The task numbers the answer's events and appends them to the event log; in the end it saves the row, once, and only
then appends the last event. A lease in Redis says that somebody is at it. Whoever follows a running answer that no
lease covers takes it over: the process that was at it has died. What counts is the row: while Redis is away the
answer is produced and saved all the same, and followers read its end from there.
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
from redis.exceptions import RedisError

from models_service import trace
from models_service.protocol import AnswerDone, AnswerError, DeltaEvent, SourcesEvent
from webapp import event_log
from webapp.chat import answering, records, stopping
from webapp.chat.lease import Lease
from webapp.chat.records import Ending, Job
from webapp.errors import Unavailable

log = logging.getLogger(__name__)

RENEW_SECONDS = 2.0
LOOK_AGAIN_MS = 1000
"""A follower that has heard nothing for this long looks at the row and at the lease."""
REDIS_SECONDS = 2.0
REDIS_PAUSE_SECONDS = 0.5
LAST_TYPES = ("done", "error")
NO_REDIS = (RedisError, OSError, TimeoutError)

_running: dict[int, Production] = {}
"""The answers that this process is producing, by the answer's id."""


def log_name(answer_id: int) -> str:
    return f"answer:{answer_id}"


def start(answer_id: int, *, after: int | None = None) -> None:
    """Produce the answer in the background, unless somebody is at it already.

    `after` is None for a new answer. For one that is taken over it is the number of the last event that was seen of
    it: the new events' numbers go on from there.
    """
    if answer_id not in _running:
        production = _running[answer_id] = Production(answer_id, after)
        production.task = asyncio.create_task(production.run(), name=f"answer {answer_id}")


async def stop(answer_id: int) -> None:
    """Stop an answer in whichever process it is produced; Unavailable when that process cannot be reached now."""
    production = _running.get(answer_id)
    if production is not None:
        production.stop()
        await asyncio.wait({production.task})
        return
    async with event_log.async_redis() as redis:
        try:
            if await Lease(redis, answer_id).is_held():
                await stopping.ask_to_stop(redis, answer_id)
                return
        except NO_REDIS:
            raise Unavailable(_("The answer cannot be stopped just now. Try again in a moment.")) from None
    await records.save(answer_id, records.stopped())


async def follow(answer_id: int, after: int = 0) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """The answer's events after number `after`, as (number, event), to the last one, which is "done" or "error"."""
    name, seen = log_name(answer_id), after
    async with event_log.async_redis() as redis:
        while True:
            record = await records.read(answer_id)
            if record is None:
                yield seen + 1, _gone()
                return
            try:
                abandoned = not record.is_finished and answer_id not in _running
                if abandoned and not await Lease(redis, answer_id).is_held():
                    start(answer_id, after=seen)
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


def _gone() -> dict[str, Any]:
    return AnswerError(code="not_found", message=_("This conversation has been deleted.")).model_dump()


class Production:
    """One answer in the making."""

    def __init__(self, answer_id: int, after: int | None) -> None:
        self.answer_id = answer_id
        self.task: asyncio.Task[None]
        self._after = after
        self._number = 0
        self._unsent: list[tuple[int, dict[str, Any]]] = []
        self._quiet_until = 0.0
        self._text = ""
        self._sources: list[dict[str, Any]] = []
        self._work: asyncio.Task[AnswerDone | AnswerError] | None = None
        self._stop_asked = False
        self._lease_lost = False

    def stop(self) -> None:
        self._stop_asked = True
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        trace.current.set(f"answer-{self.answer_id}")
        try:
            async with event_log.async_redis() as redis:
                self._redis = redis
                self._lease = Lease(redis, self.answer_id, token=uuid.uuid4().hex)
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
            log.exception("answer %s could not be produced; whoever opens it next tries again", self.answer_id)
        finally:
            _running.pop(self.answer_id, None)

    async def _may_begin(self) -> bool:
        """Take the lease. Without Redis only a new answer begins: nobody else can know of it yet."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                if not await self._lease.hold():
                    return False
                if self._after is None:
                    await event_log.clear(self._redis, log_name(self.answer_id))
                else:
                    last = await event_log.last_number(self._redis, log_name(self.answer_id))
                    self._number = max(last, self._after)
            return True
        except NO_REDIS as error:
            log.warning("Redis does not answer (%s); answer %s", error, self.answer_id)
            return self._after is None

    async def _produce_and_save(self) -> None:
        job = await records.job(self.answer_id)
        if job is None:
            return
        await self._send(job.start)
        self._work = asyncio.create_task(self._produce(job))
        watch = asyncio.create_task(self._keep_lease_and_hear_stop())
        if self._stop_asked:
            self._work.cancel()
        try:
            await asyncio.wait({self._work})
        finally:
            for task in (self._work, watch):
                task.cancel()
            await asyncio.wait({self._work, watch})
        if self._lease_lost:
            log.warning("answer %s was taken over by another process", self.answer_id)
            return
        ending = self._ending(self._work)
        if await records.save(self.answer_id, ending):
            self._quiet_until = 0.0
            await self._send(ending.event)

    def _ending(self, work: asyncio.Task[AnswerDone | AnswerError]) -> Ending:
        if work.cancelled():
            return records.stopped(self._text, self._sources)
        try:
            event = work.result()
        except Exception:  # saved as it is, or it would be taken over and fail again for ever
            log.exception("answer %s failed", self.answer_id)
            event = answering.failure()
        if isinstance(event, AnswerDone):
            return records.done(event)
        return records.failed(event, self._text, self._sources)

    async def _produce(self, job: Job) -> AnswerDone | AnswerError:
        """Send the events as they come; the last one is returned, to be saved before it is sent."""
        answer = answering.events(job.user, job.question, job.collections, job.history)
        async with aclosing(answer) as events:
            async for event in events:
                if isinstance(event, AnswerDone | AnswerError):
                    return event
                if isinstance(event, DeltaEvent):
                    self._text += event.text
                elif isinstance(event, SourcesEvent):
                    self._sources = event.model_dump()["sources"]
                await self._send(event.model_dump())
        raise RuntimeError("the answer ended without its last event")

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
                    await event_log.append(self._redis, log_name(self.answer_id), *self._unsent[0])
                    del self._unsent[0]
        except NO_REDIS as error:
            self._quiet_until = time.monotonic() + REDIS_PAUSE_SECONDS
            log.warning("Redis does not answer (%s); answer %s goes on without it", error, self.answer_id)

    async def _keep_lease_and_hear_stop(self) -> None:
        while True:
            try:
                if not await self._lease.hold():
                    self._lose_lease()
                    return
                if await stopping.asked_to_stop(self._redis, self.answer_id, RENEW_SECONDS):
                    self.stop()
                    return
            except NO_REDIS:
                await asyncio.sleep(REDIS_PAUSE_SECONDS)

    def _lose_lease(self) -> None:
        self._lease_lost = True
        if self._work is not None:
            self._work.cancel()
