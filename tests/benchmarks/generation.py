"""Texts written by many streams at once: against `generate` one text after the other, and through the whole service.

All on the small generator that the tests train: its figures say what batching gains and what the service costs, not
how fast a useful model writes. Each way is measured on one core, in turn, five times; the medians are shown. The
service's overhead is the time a token takes longer over WebSocket, JSON and queue than from the engine called here.
`python -m tests.benchmarks.generation`
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from models_service.client import ModelService
from models_service.engines.causal import CausalEngine
from models_service.engines.causal_generator import CausalGenerator
from models_service.engines.generating import Finish, Generation
from models_service.protocol import GenerateDone
from tests import small_generator
from webapp.ops.preflight import free_port

ROOT = Path(__file__).parents[2]
STREAMS = (1, 8, 32)
TOKENS = 96
ROUNDS = 5
START_SECONDS = 120
FORMS = {"WENDA_MODEL_FORMS": "all-MiniLM-L6-v2=float32,wenda-reader=float32"}
"""Of the models that are not asked here: otherwise the service measures first what is fastest."""
PROMPTS = [f"{words} {number}" for number in range(8) for words in (
    "A collection is", "The answer shows", "Documents are read in", "An API key is made on the account page, and",
)]
Stream = Callable[[str], AsyncIterator[Any]]
QUICK = {"rounds": 1}


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Prints the table; tokens a second, seconds to the first token, and the service's overhead."""
    made = small_generator.made(ROOT / ".pytest_cache" / "d" / "small-generator")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="wenda-generation-") as place:
        folder = _endless(made, Path(place) / "endless")
        with _service(folder) as port:
            figures = asyncio.run(_measured(folder, port, rounds))
    print(f"{'streams':<22}{'tokens/s':>10}{'first token, ms':>18}")
    print(f"{'generate, one by one':<22}{figures['one_by_one']:>10.0f}")
    for way in ("engine", "service"):
        for streams in STREAMS:
            rate, first = figures[way][streams]
            print(f"{f'{way}, {streams} at once':<22}{rate:>10.0f}{1000 * first:>18.1f}")
    for streams in STREAMS:
        print(f"overhead of the service at {streams} streams: {100 * figures['overhead'][streams]:.1f} % of a token")
    return figures


def _endless(made: Path, folder: Path) -> Path:
    """The same weights, for which another token means the end: every text gets its full length."""
    shutil.copytree(made, folder)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        values = json.loads((folder / name).read_text())
        values |= {"eos_token": "<|system|>"} if name.startswith("tokenizer") else {"eos_token_id": 1}
        (folder / name).write_text(json.dumps(values))
    return folder


async def _measured(folder: Path, port: int, rounds: int) -> dict[str, Any]:
    engine = CausalGenerator(CausalEngine("small", folder))
    await engine.open()
    plain = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    alone: list[float] = []
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    async with ModelService([f"ws://127.0.0.1:{port}/ws"]) as models:
        ways: dict[str, Stream] = {"engine": _engine_stream(engine), "service": _service_stream(models)}
        for stream in ways.values():
            await _together(stream, 4)
        for _ in range(rounds):
            alone.append(_one_by_one(*plain))
            for streams in STREAMS:
                for way, stream in ways.items():
                    found.setdefault((way, streams), []).append(await _together(stream, streams))
    await engine.close()
    medians = {way: {streams: tuple(np.median(found[way, streams], axis=0).tolist()) for streams in STREAMS}
               for way in ways}
    overhead = {
        streams: float(np.median([here[0] / there[0] - 1 for here, there in zip(
            found["engine", streams], found["service", streams], strict=True)]))
        for streams in STREAMS
    }
    one_by_one = float(np.median(alone))
    rows = [(f"tokens written a second, {streams} at once", medians["service"][streams][0], "generate, one by one",
             one_by_one) for streams in STREAMS]
    return {"one_by_one": one_by_one, **medians, "overhead": overhead, "rows": rows}


def _one_by_one(model: Any, tokenizer: Any, prompts: int = 4) -> float:
    """Tokens a second of plain `generate`."""
    began, tokens = time.perf_counter(), 0
    for prompt in PROMPTS[:prompts]:
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            whole = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False)
        tokens += whole.shape[1] - ids.shape[1]
    return tokens / (time.perf_counter() - began)


async def _together(stream: Stream, streams: int) -> tuple[float, float]:
    """Tokens a second of all streams together, and the median seconds to the first text."""
    began = time.perf_counter()
    firsts: list[float] = []

    async def one(prompt: str) -> int:
        first = True
        async with aclosing(stream(prompt)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if first:
                    firsts.append(time.perf_counter() - began)
                    first = False
                if isinstance(piece, Finish):
                    return piece.completion_tokens or 0
                if isinstance(piece, GenerateDone):
                    return piece.usage.completion_tokens or 0
        return 0

    writing: list[Awaitable[int]] = [one(prompt) for prompt in PROMPTS[:streams]]
    tokens = sum(await asyncio.gather(*writing))
    return tokens / (time.perf_counter() - began), float(np.median(firsts))


def _engine_stream(engine: CausalGenerator) -> Stream:
    return lambda prompt: engine.stream(Generation(prompt=prompt, max_tokens=TOKENS, temperature=0))


def _service_stream(models: ModelService) -> Stream:
    return lambda prompt: models.generate([], prompt=prompt, max_tokens=TOKENS, temperature=0, client=prompt)


@contextmanager
def _service(folder: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "models_service", "--port", str(port), "--generator", str(folder)]
    service = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL,
                               env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **FORMS})
    try:
        end = time.monotonic() + START_SECONDS
        while _state(port).get("models", {}).get(folder.name) != "ready":
            assert service.poll() is None and time.monotonic() < end, "the model service did not start"
            time.sleep(0.1)
        yield port
    finally:
        service.terminate()
        service.wait()


def _state(port: int) -> dict[str, Any]:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
        return json.load(response)
    return {}


if __name__ == "__main__":
    run()
