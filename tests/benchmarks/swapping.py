"""Swaps under load: a reader is promoted and rolled back five times while clients ask; how many requests fail.

The starter reader is registered as a version of itself, so both versions cost what they cost on a real site. The
longest wait is told beside the usual one, for a swap computes on the processors that answer.
`python -m tests.benchmarks.swapping`
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from models_service import admission
from models_service.client import ModelService
from models_service.errors import ModelsError
from models_service.registry import READER, Registry, versions_in
from models_service.versions import Versions
from tests.benchmarks._serving import Serving, serving

REQUESTS = 10_000
CLIENTS = 64
SWAPS = 5
PASSAGES = [
    "The bridge over the strait was opened to traffic in October 1973, fifty years after the republic was founded."
]
QUESTION = "When was the bridge opened?"
QUICK = {"requests": 500}


def run(requests: int = REQUESTS, clients: int = CLIENTS) -> dict[str, Any]:
    """Prints the table; requests, failures, swaps made, and the seconds of a request."""
    with tempfile.TemporaryDirectory(prefix="wenda-swapping-") as folder:
        versions = versions_in(Path(folder))
        admission.register(versions, Registry().default("reader").directory(), READER)
        with serving("--models", folder) as service:
            figures = asyncio.run(_measured(service, versions, requests, clients))
    print(f"{figures['requests']} requests of {clients} clients, {figures['swaps']} promotions and as many "
          f"rollbacks: {figures['failed']} failed")
    print(f"answered by version: {figures['answered_by']}")
    print(f"seconds of a request: median {figures['median']:.3f}, p95 {figures['p95']:.3f}, "
          f"longest {figures['longest']:.3f}")
    return figures


async def _measured(service: Serving, versions: Versions, requests: int, clients: int) -> dict[str, Any]:
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

    async with ModelService([service.url], patience_seconds=1) as models:
        asking = asyncio.gather(*(ask(models, str(number)) for number in range(clients)))
        swaps = 0
        for swap in range(SWAPS):
            while len(seconds) < requests * swap // SWAPS:
                await asyncio.sleep(0.02)
            versions.promote(READER, "v1")
            await _until_served(service, "v1")
            versions.rollback(READER)
            await _until_served(service, "starter")
            swaps += 1
        await asking
    return {
        "requests": len(seconds), "failed": failed, "swaps": swaps, "answered_by": dict(answered),
        "median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95)), "longest": max(seconds),
    }


async def _until_served(service: Serving, version: str) -> None:
    while (await asyncio.to_thread(service.state)).get("versions", {}).get(READER) != version:
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    run()
