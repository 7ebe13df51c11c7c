"""One id from the browser to the engine: what a page or a proxy called a request is in every process's log."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from tests.running_site import Person, Site, until

pytestmark = pytest.mark.e2e


def lines(site: Site, part: str, request_id: str) -> list[dict[str, Any]]:
    """What this part has logged of the request."""
    text = (site.data / "log" / f"{part}.log").read_text(errors="replace")
    logged = [json.loads(line) for line in text.splitlines() if line.startswith("{") and request_id in line]
    return [line for line in logged if line["request_id"] == request_id]


async def test_an_upload_and_a_question_are_found_by_their_ids_in_the_web_the_worker_and_the_model_service(
    site: Site, person: Person
) -> None:
    upload, key = f"upload-{uuid.uuid4().hex}", uuid.uuid4().hex
    made = await asyncio.to_thread(person.add_collection)
    added = await asyncio.to_thread(
        person.http.post, "/api/v1/documents/", data={"collection": made},
        files={"file": ("lamp.txt", b"The lamp of the pier is lit at half past nine.")},
        headers={"X-CSRFToken": person.http.cookies["csrftoken"], "Referer": site.address, "X-Request-Id": upload},
    )
    assert added.status_code == 202 and added.headers["X-Request-Id"] == upload
    await asyncio.to_thread(until, lambda: person._is_read(added.json()["id"]), 120)
    async with person.open_chat() as socket, asyncio.timeout(90):
        await socket.send(json.dumps({"type": "ask", "key": key, "question": "When is the lamp of the pier lit?",
                                      "collections": [made]}))
        while json.loads(await socket.recv())["event"]["type"] not in ("done", "error"):
            pass
    await asyncio.to_thread(until, lambda: lines(site, "worker", upload) and lines(site, "models", upload))
    assert [line for line in lines(site, "models", upload) if line["type"] == "embed" and line["outcome"] == "done"]
    await asyncio.to_thread(until, lambda: lines(site, "web", key) and lines(site, "models", key))
    [answered] = [line for line in lines(site, "web", key) if line["logger"] == "webapp.ops.answer_times"]
    assert answered["outcome"] in ("answered", "abstained") and answered["total_ms"] > 0
    assert {"embed", "read"} <= {line["type"] for line in lines(site, "models", key)}
