"""/ws/jobs/<id>/: a job while it waits, runs and ends. Checks, follows its row and its folder, sends."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from webapp import access, cancelling
from webapp.ops.socket_gate import NOT_FOUND
from webapp.training import stream
from webapp.training.models import UNFINISHED, Job, JobStatus
from webapp.training.serializers import job_json

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.4
IDLE_LOOK_SECONDS = 1.5
"""Between looks at a job that has ended; it may be resumed."""


class JobConsumer(AsyncWebsocketConsumer):
    """Sends "start" with the job as it stands, then "progress" (a point of the curves, or the job's new state),
    "log", and "done" or "error" when it ends; each with "seq". Takes nothing.

    A page that comes back gives ?after=SEQ, the last number that it saw. Code 4404 means: do not come back.
    """

    channel_layer_alias = ""  # none: events come from the job's folder, so a restart of Redis does not end the socket

    async def connect(self) -> None:
        self._sending: asyncio.Task[None] | None = None
        self._job_id = str(self.scope["url_route"]["kwargs"]["pk"])
        await self.accept()
        self._sending = asyncio.create_task(self._follow())

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            await cancelling.end(self._sending)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Whatever is said here is of no interest."""

    async def _follow(self) -> None:
        try:
            events = stream.reader(self._job_id)
            await asyncio.to_thread(events.skip_to, _after(self.scope))
            shown: dict[str, Any] | None = None
            while (job := await self._job()) is not None:
                for number, event in await asyncio.to_thread(events.read):
                    await self._say(number, _told(event))
                if _state(job) != _state(shown):
                    await self._say(events.number, {"type": _type(job, shown), "job": job, "now": _now()})
                    shown = job
                await asyncio.sleep(LOOK_SECONDS if job["status"] in UNFINISHED else IDLE_LOOK_SECONDS)
            await self.close(NOT_FOUND)
        except Exception:
            log.exception("job %s can no longer be followed", self._job_id)
            await self.close()  # the page comes back

    @database_sync_to_async
    def _job(self) -> dict[str, Any] | None:
        """The job, or None when it is gone or not this person's to see (any more)."""
        found: Job | None = access.jobs(self.scope["user"]).filter(pk=self._job_id).first()
        return job_json(found) if found is not None else None

    async def _say(self, number: int, event: dict[str, Any] | None) -> None:
        if event is not None:
            await self.send(json.dumps({**event, "seq": number}))


def _told(event: dict[str, Any]) -> dict[str, Any] | None:
    """A line of the folder's as the page takes it."""
    if "log" in event:
        return {"type": "log", "time": event["time"], "line": event["log"]}
    if event.get("started"):
        return {"type": "progress", "began_at": event["step"], "steps": event["steps"]}
    if "step" in event:
        return {"type": "progress", "point": event}
    return None


def _state(job: dict[str, Any] | None) -> Any:
    return job and [job[name] for name in ("status", "step", "steps", "metrics", "error", "result", "waits_for")]


def _type(job: dict[str, Any], shown: dict[str, Any] | None) -> str:
    if shown is None:
        return "start"
    if job["status"] == JobStatus.DONE:
        return "done"
    return "error" if job["status"] == JobStatus.FAILED else "progress"


def _now() -> str:
    """The server's clock, by which the page counts how long a job has been at work."""
    return timezone.now().isoformat()


def _after(scope: dict[str, Any]) -> int:
    given = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0
