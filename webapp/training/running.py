"""Does one job: starts its child, follows what the child says, stops it when a person asks, tells how it ended."""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from models_service.training import STOPPED
from webapp.errors import SiteError
from webapp.training import claims, orders, outcomes, places, stream, watching
from webapp.training.child import Child
from webapp.training.claims import Claim
from webapp.training.models import Job, JobStatus

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
STOP_SECONDS = 20.0
"""A child that was asked to stop has this long to save its checkpoint; then it is killed and an older one counts."""
MOST_DEATHS = 3
"""A child that is killed this often without getting further will not get further."""
BEGINNING = (JobStatus.STARTING, JobStatus.RESUMING)
GOING_ON = (*BEGINNING, JobStatus.RUNNING)
WANTED_ENDS = {JobStatus.CANCELLING: JobStatus.CANCELLED, JobStatus.PAUSING: JobStatus.PAUSED}


def run(job_id: UUID) -> None:
    """The job, if it waits and nobody else has it."""
    claim = Claim.take(job_id)
    if claim is None:
        return
    job = Job.objects.select_related("created_by", "data__dataset").get(pk=job_id)
    with translation.override(job.created_by.language if job.created_by else None):
        try:
            Attempt(job, claim).go()
        except SiteError as problem:
            _fail(claim, "refused", problem.message)
        except OSError as problem:
            log.exception("job %s cannot be done", job_id)
            _fail(claim, "files", _("Its files cannot be read or written (%(why)s).") % {
                "why": problem.strerror or problem})
        except Exception:
            log.exception("job %s cannot be done", job_id)
            _fail(claim, "error", _("Something went wrong in the worker; its log says what."))


def _fail(claim: Claim, code: str, sentence: str, tail: str = "") -> None:
    stream.say(claim.job_id, f"failed: {sentence}")
    claim.give_back(JobStatus.FAILED, error_code=code, error=sentence, log_tail=tail, ended_at=timezone.now())


class Attempt:
    """One child's life."""

    def __init__(self, job: Job, claim: Claim) -> None:
        self.job = job
        self.claim = claim
        self.folder = places.job(job.pk)
        self.began_at_step: int | None = None
        self.finished: dict[str, Any] = {}
        self.result: dict[str, Any] = {}
        self.failed: dict[str, Any] = {}
        self._asked_to_stop_at: float | None = None
        self._first_point: tuple[int, float] | None = None

    def go(self) -> None:
        command = orders.prepare(self.job)
        events = stream.reader(self.job.pk)
        events.skip_all()
        child = Child(command, self.folder)
        try:
            self._follow(child, events)
        finally:
            child.kill()  # whatever it left running
        self._conclude(child)

    def _follow(self, child: Child, events: stream.Reader) -> None:
        while not child.has_ended(LOOK_SECONDS):
            self._take_in(events)
            status = self.claim.status()
            if status is None or not self.claim.renew():  # deleted, or taken for dead
                child.kill()
                return
            if claims.stopping.is_set() or status in WANTED_ENDS:
                self._stop(child)
        self._take_in(events)

    def _stop(self, child: Child) -> None:
        if self._asked_to_stop_at is None:
            self._asked_to_stop_at = time.monotonic()
            child.ask_to_stop()
        elif time.monotonic() - self._asked_to_stop_at > STOP_SECONDS:
            child.kill()

    def _take_in(self, events: stream.Reader) -> None:
        """The row as the newest events have it."""
        values: dict[str, Any] = {}
        for _number, event in events.read():
            if event.get("started"):
                self.began_at_step = event["step"]
                self._first_point = (event["step"], event["time"])
                self.claim.change(only_if=BEGINNING, status=JobStatus.RUNNING)
                values |= {"step": event["step"], "steps": event["steps"]}
            elif event.get("finished"):
                self.finished = event
            elif event.get("failed"):
                self.failed = event
            elif "result" in event:
                self.result = values["result"] = event["result"]
            elif "metrics" in event:
                values["metrics"] = event["metrics"]
            elif "step" in event:
                figures = {name: event[name] for name in event.keys() - {"step", "steps", "time"}}
                values |= {"step": event["step"], "steps": event["steps"], "figures": figures, "deaths": 0,
                           "seconds_left": self._seconds_left(event)}
        if values:
            self.claim.change(**values)

    def _seconds_left(self, event: dict[str, Any]) -> float | None:
        if self._first_point is None or event["step"] <= self._first_point[0]:
            return None
        step, since = self._first_point
        return round((event["steps"] - event["step"]) * (event["time"] - since) / (event["step"] - step), 1)

    def _conclude(self, child: Child) -> None:
        status = self.claim.status()
        if status is None:
            return
        if child.status == 0 and self.finished:
            result = outcomes.take_in(self.job, {"result": self.result, **self.finished})
            self.claim.give_back(JobStatus.DONE, result=result, metrics=self.finished.get("metrics", {}),
                                 ended_at=timezone.now())
            watching.judge(self.job)
        elif status in WANTED_ENDS:
            self._has_stopped(status)
        elif claims.stopping.is_set() or child.status == STOPPED:
            self._wait_again(JobStatus.QUEUED)
        elif child.status < 0:
            self._was_killed(child)
        else:
            code = self.failed.get("failed", "error")
            _fail(self.claim, code, outcomes.sentence(code, self.failed.get("message", "")), child.last_lines())

    def _was_killed(self, child: Child) -> None:
        """By the system, most often, when memory runs out; or by a person, who wants it to go on."""
        self.job.refresh_from_db(fields=["deaths"])
        deaths = self.job.deaths + 1
        if deaths >= MOST_DEATHS:
            _fail(self.claim, "killed", outcomes.sentence("killed", ""), child.last_lines())
            return
        stream.say(self.job.pk, f"the training process was killed (signal {-child.status}); going on from the last "
                                "checkpoint")
        self._wait_again(JobStatus.LOST, deaths=deaths)

    def _wait_again(self, status: JobStatus, **values: Any) -> None:
        """Unless a person has asked in this very moment that it stop."""
        if not self.claim.give_back(status, only_if=GOING_ON, **values):
            self._has_stopped(self.claim.status())

    def _has_stopped(self, asked: str | None) -> None:
        if asked in WANTED_ENDS:
            stream.say(self.job.pk, "stopped on request")
            self.claim.give_back(WANTED_ENDS[JobStatus(asked)], ended_at=timezone.now())
