"""What the knowledge tests share: a collection, a short way to add a file and to read it in, a browser's requests."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from webapp.ops import embedded_redis
from webapp.settings.places import redis_socket

STORY = """The lighthouse of Marrow Point was built in 1871 by the engineer Ingrid Halloran. It stands on a granite \
reef two miles from the shore. Its lamp could be seen from thirty miles away.

The last keeper, Tobias Fenn, left the tower in 1954, when the lamp became automatic."""


@pytest.fixture
def collection(alice, redis_url):
    """Alice's own, empty."""
    from webapp.knowledge import services

    return services.create_collection(alice, "Lighthouses")


@pytest.fixture
def add(alice) -> Callable[..., Any]:
    """`add(collection, content, name)`: the document's row, waiting to be read."""
    from webapp.knowledge import services

    def add(collection: Any, content: str | bytes = STORY, name: str = "lighthouse.txt") -> Any:
        data = content.encode() if isinstance(content, str) else content
        return services.add_document(collection, name, [data], alice)[0]

    return add


@pytest.fixture
def read_in(models) -> Callable[[Any], Any]:
    """`read_in(document)`: what the worker does with it, over the real model service; the row afterwards."""
    from webapp.knowledge import worker

    def read_in(document: Any) -> Any:
        worker.ingest(document.pk)
        document.refresh_from_db()
        return document

    return read_in


@pytest.fixture
def browser_of() -> Callable[[Any], APIClient]:
    """`browser_of(user)`: requests as that signed-in user."""

    def browser_of(user: Any) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return browser_of


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for what another thread or process does; what `condition` gave. Fails when it never happens."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def start_redis(folder: Path) -> subprocess.Popen[bytes]:
    """A Redis that the test may kill and start again over the same data."""
    process = subprocess.Popen(embedded_redis.command(folder), stdout=subprocess.DEVNULL)
    until(lambda: embedded_redis.answers(f"unix://{redis_socket(folder)}"))
    return process
