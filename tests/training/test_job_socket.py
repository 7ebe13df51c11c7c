"""/ws/jobs/<id>/: what a job's page hears, from where it left off, and who may listen."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async

from tests.knowledge.test_collection_socket import PATIENCE, follow  # noqa: F401
from webapp.training import stream
from webapp.training.models import Job, JobStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(db) -> Job:
    from django.utils import timezone

    made = Job.objects.create(kind="train", task="qa", name="Nightly", queued_at=timezone.now())
    stream.say(made.pk, "queued")
    return made


async def hear(socket: Any, count: int) -> list[dict[str, Any]]:
    return [json.loads((await socket.receive_output(PATIENCE))["text"]) for _ in range(count)]


async def test_a_page_hears_the_log_the_points_and_the_end_with_rising_numbers(admin, job, follow) -> None:  # noqa: F811
    socket = await follow(admin, f"/ws/jobs/{job.pk}/")
    first = await hear(socket, 2)
    assert [event["type"] for event in first] == ["log", "start"] and first[1]["job"]["status"] == "queued"
    stream.add(job.pk, started=True, step=0, steps=9)
    stream.add(job.pk, step=1, steps=9, loss=2.5)
    begun, point = await hear(socket, 2)
    assert begun["began_at"] == 0 and point["point"]["loss"] == 2.5
    await Job.objects.filter(pk=job.pk).aupdate(status=JobStatus.FAILED, error="No memory.")
    (end,) = await hear(socket, 1)
    assert (end["type"], end["job"]["error"]) == ("error", "No memory.")
    assert [event["seq"] for event in (*first, begun, point, end)] == [1, 1, 2, 3, 3]


async def test_a_page_that_comes_back_hears_only_what_it_missed(admin, job, follow) -> None:  # noqa: F811
    for step in range(1, 5):
        stream.add(job.pk, step=step, steps=9, loss=1.0)
    socket = await follow(admin, f"/ws/jobs/{job.pk}/?after=3")
    heard = await hear(socket, 3)
    assert [event.get("point", {}).get("step") for event in heard] == [3, 4, None]


async def test_half_a_line_of_a_killed_child_hides_nothing_that_comes_after(admin, job, follow) -> None:  # noqa: F811
    from webapp.training import places

    with (places.job(job.pk) / stream.FILE).open("a") as file:
        file.write('{"step": 1, "ste')
    stream.add(job.pk, step=2, steps=9)
    heard = await hear(await follow(admin, f"/ws/jobs/{job.pk}/"), 3)
    assert heard[1]["point"]["step"] == 2


async def test_others_and_jobs_that_there_are_not_close_with_4404(admin, alice, job, follow) -> None:  # noqa: F811
    for person, identifier in ((alice, job.pk), (None, job.pk), (admin, uuid.uuid4())):
        socket = await follow(person, f"/ws/jobs/{identifier}/")
        assert (await socket.receive_output(PATIENCE))["code"] == 4404
    socket = await follow(admin, f"/ws/jobs/{job.pk}/")
    await hear(socket, 2)
    await database_sync_to_async(Job.objects.all().delete)()
    assert (await socket.receive_output(PATIENCE))["code"] == 4404
