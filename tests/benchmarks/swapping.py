"""Swaps under load: a reader is promoted and rolled back five times while clients ask; how many requests fail.

The starter reader is registered as a version of itself, so both versions cost what they cost on a real site. The
longest wait is told beside the usual one, for a swap computes on the processors that answer.
`python -m tests.benchmarks.swapping`
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from models_service import admission
from models_service.client import ModelService
from models_service.errors import ModelsError
from models_service.registry import READER, Registry, versions_in
from models_service.versions import Versions
from webapp.ops.preflight import free_port

REQUESTS = 10_000
CLIENTS = 64
SWAPS = 5
PASSAGES = [
    "The bridge over the strait was opened to traffic in October 1973, fifty years after the republic was founded."
]
QUESTION = "When was the bridge opened?"
START_SECONDS = 120


def run(requests: int = REQUESTS, clients: int = CLIENTS) -> dict[str, Any]:
    """Prints the table; requests, failures, swaps made, and the seconds of a request."""
    with tempfile.TemporaryDirectory(prefix="wenda-swapping-") as folder:
        versions = versions_in(Path(folder))
        admission.register(versions, Registry().default("reader").directory(), READER)
        with _service(versions) as port:
            figures = asyncio.run(_measured(port, versions, requests, clients))
    print(f"{figures['requests']} requests of {clients} clients, {figures['swaps']} promotions and as many "
          f"rollbacks: {figures['failed']} failed")
    print(f"answered by version: {figures['answered_by']}")
    print(f"seconds of a request: median {figures['median']:.3f}, p95 {figures['p95']:.3f}, "
          f"longest {figures['longest']:.3f}")
    return figures


async def _measured(port: int, versions: Versions, requests: int, clients: int) -> dict[str, Any]:
    answered: Counter[str] = Counter()
    seconds: list[float] = []
    failed = 0
    left = iter(range(requests))

    async def ask(models: ModelService, client: str) -> None:
        nonlocal failed
        for _ in left:
            begun = time.perf_counter()
            try:
                answered[(await models.read(QUESTION, PASSAGES, client=client)).version] += 1
            except ModelsError:
                failed += 1
            seconds.append(time.perf_counter() - begun)

    async with ModelService([f"ws://127.0.0.1:{port}/ws"], patience_seconds=1) as models:
        asking = asyncio.gather(*(ask(models, str(number)) for number in range(clients)))
        swaps = 0
        for swap in range(SWAPS):
            while len(seconds) < requests * swap // SWAPS:
                await asyncio.sleep(0.02)
            versions.promote(READER, "v1")
            await _until_served(port, "v1")
            versions.rollback(READER)
            await _until_served(port, "starter")
            swaps += 1
        await asking
    return {
        "requests": len(seconds), "failed": failed, "swaps": swaps, "answered_by": dict(answered),
        "median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95)), "longest": max(seconds),
    }


async def _until_served(port: int, version: str) -> None:
    while (await asyncio.to_thread(_state, port)).get("versions", {}).get(READER) != version:
        await asyncio.sleep(0.05)


def _state(port: int) -> dict[str, Any]:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
        return json.load(response)
    return {}


@contextmanager
def _service(versions: Versions) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "models_service", "--port", str(port), "--models", str(versions.folder)]
    service = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while not _state(port).get("ready"):
            assert service.poll() is None and time.monotonic() < end, "the model service did not start"
            time.sleep(0.1)
        yield port
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    run()
