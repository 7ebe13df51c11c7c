"""Sentences and words translated a second: by the service, and by plain `generate` of transformers, same weights.

The service computes the form that it chose for this machine (8 bits where that is right); `generate` computes
float32, in batches of sentences of like length, with a beam of the same width. Rounds alternate; the median counts.
Where the shared Tatoeba sentences are at hand, both translate English ones to German, and their BLEU is taken, too;
else the sentences of the help pages. `python -m tests.benchmarks.translation`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from models_service import admission
from models_service.client import ModelService
from models_service.evaluation.translation import scores
from models_service.formats.parallel import read_pairs
from models_service.registry import TRANSLATOR, Model, ModelMissing, Registry, named_or_directory, versions_in
from models_service.translation_pairs import OfferedPair, pairs_of
from qa.sentences import sentences
from qa.writing.translate import translate_text
from tests.benchmarks._serving import PAGES, serving

ROOT = Path(__file__).parents[2]
TATOEBA = ROOT.parent / "shared" / "data" / "tatoeba" / "en-de.dev.jsonl.gz"
SENTENCES = 320
ROUNDS = 5
QUICK = {"rounds": 1}
BATCH = 32
"""Sentences that `generate` is given at once."""
DOCUMENT_WORDS = 4_000
"""About eight pages. A document is translated sentence by sentence, so that a longer one has the same speed."""
CLIENTS, TURNS = 20, 5


@dataclass(frozen=True)
class Task:
    """What is translated. `references` are empty where there are none."""

    pair: OfferedPair
    sources: list[str]
    references: list[str]


def run(translator: str = TRANSLATOR, rounds: int = ROUNDS) -> dict[str, Any]:
    """Prints the table. `translator` is a registry name or a folder."""
    model = named_or_directory(translator, "translator")
    try:
        folder = model.directory()
    except ModelMissing as problem:
        print(f"Translation: nothing to measure. {problem}")
        return {}
    task = _task(folder)
    with tempfile.TemporaryDirectory(prefix="wenda-bench-") as place, _service(model, Path(place)) as url:
        figures = asyncio.run(_measured(url, folder, task, rounds))
    _print(figures, task, rounds)
    (_, ours), (other, theirs) = figures["sentences_per_second"].items()
    pair = f"{task.pair.source}-{task.pair.target}"
    return {**figures, "rows": [(f"sentences translated a second, {pair}", ours, other, theirs)]}


async def _measured(url: str, folder: Path, task: Task, rounds: int) -> dict[str, Any]:
    plain = _Plain(folder, task.pair)
    taken: dict[str, list[float]] = {"service": [], "generate float32": []}
    made: dict[str, list[str]] = {}
    async with ModelService([url]) as models:
        asked = {"source": task.pair.source, "target": task.pair.target}
        await models.translate(task.sources[:8], **asked)
        plain.translate(task.sources[:8])
        for _ in range(rounds):
            began = time.perf_counter()
            done = await models.translate(task.sources, **asked)
            taken["service"].append(time.perf_counter() - began)
            made["service"] = [candidates[0].text for candidates in done.translations]
            began = time.perf_counter()
            made["generate float32"] = plain.translate(task.sources)
            taken["generate float32"].append(time.perf_counter() - began)
        figures: dict[str, Any] = {
            "sentences": len(task.sources),
            "sentences_per_second": {name: len(task.sources) / median(times) for name, times in taken.items()},
            "document_words_per_second": await _document(models, plain, task),
            "one_sentence_ms": await _typing(models, task, asked),
        }
    if task.references:
        figures["bleu"] = {
            name: scores(texts, task.references, task.pair.target).metrics["bleu"] for name, texts in made.items()
        }
    figures["equal_texts"] = sum(
        one == other for one, other in zip(*made.values(), strict=True)) / len(task.sources)
    return figures


async def _document(models: ModelService, plain: _Plain, task: Task) -> dict[str, float]:
    """The whole way of a long text, with what is protected in it, against its bare sentences through `generate`."""
    paragraphs = [" ".join(task.sources[i : i + 6]) for i in range(0, len(task.sources), 6)]
    words = sum(len(paragraph.split()) for paragraph in paragraphs)
    text = "\n\n".join(paragraphs * max(DOCUMENT_WORDS // words, 1))
    words = len(text.split())
    began = time.perf_counter()
    async for _ in translate_text(text, source=task.pair.source, target=task.pair.target, models=models):
        pass
    service = time.perf_counter() - began
    began = time.perf_counter()
    plain.translate([text[start:end] for start, end in sentences(text)])
    return {"service": words / service, "generate float32": words / (time.perf_counter() - began)}


async def _typing(models: ModelService, task: Task, asked: dict[str, str]) -> dict[str, float]:
    """Each of 20 clients asks for one sentence after the other."""
    taken: list[float] = []

    async def one(number: int) -> None:
        for turn in range(TURNS):
            text = task.sources[(number * TURNS + turn) % len(task.sources)]
            began = time.perf_counter()
            await models.translate([text], client=f"user-{number}", **asked)
            taken.append(1000 * (time.perf_counter() - began))

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    return {"p50": median(taken), "p95": quantiles(taken, n=20)[-1]}


class _Plain:
    """What whoever has transformers at hand would write: float32, batches of like length."""

    def __init__(self, folder: Path, pair: OfferedPair) -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        self._torch = torch
        self._tag = f"{pair.tag} " if pair.tag else ""
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._beam = self._model.generation_config.num_beams or 4

    def translate(self, texts: Sequence[str]) -> list[str]:
        made = [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for begin in range(0, len(order), BATCH):
            chosen = order[begin : begin + BATCH]
            inputs = self._tokenizer([self._tag + texts[i] for i in chosen], return_tensors="pt", padding=True,
                                     truncation=True, max_length=200)
            with self._torch.inference_mode():
                out = self._model.generate(**inputs, num_beams=self._beam, max_new_tokens=200)
            for i, text in zip(chosen, self._tokenizer.batch_decode(out, skip_special_tokens=True), strict=True):
                made[i] = text
        return made


def _task(folder: Path) -> Task:
    pairs = pairs_of(folder)
    german = next((pair for pair in pairs if (pair.source, pair.target) == ("en", "de")), None)
    if german and TATOEBA.is_file():
        rows = read_pairs(TATOEBA, "en", "de")[:SENTENCES]
        return Task(german, [source for source, _ in rows], [reference for _, reference in rows])
    found = [text[start:end] for page in sorted(PAGES.glob("*.md"))
             for text in [page.read_text(encoding="utf-8")] for start, end in sentences(text)]
    return Task(next((pair for pair in pairs if pair.source == "en"), pairs[0]), found[:SENTENCES], [])


@contextmanager
def _service(model: Model, place: Path) -> Iterator[str]:
    """A model service of its own; a model from a folder is registered in it first."""
    if model.name not in Registry().names():
        versions = versions_in(place)
        admission.register(versions, Path(model.source), TRANSLATOR)
        versions.promote(TRANSLATOR, "v1")
    with serving("--models", str(place), HF_HUB_OFFLINE="1") as service:
        yield service.url


def _print(figures: dict[str, Any], task: Task, rounds: int) -> None:
    print(f"Translation {task.pair.source}-{task.pair.target}, {figures['sentences']} sentences, median of {rounds}")
    print(f"{'':>18}{'sentences/s':>14}{'document words/s':>18}{'BLEU':>8}")
    for name, speed in figures["sentences_per_second"].items():
        bleu = f"{figures['bleu'][name]:.2f}" if "bleu" in figures else "-"
        print(f"{name:>18}{speed:>14.1f}{figures['document_words_per_second'][name]:>18.0f}{bleu:>8}")
    for what in ("sentences_per_second", "document_words_per_second"):
        ours, theirs = figures[what].values()
        print(f"{what.replace('_', ' ')}: {ours / theirs:.1f} times as many; ", end="")
    print(f"{figures['equal_texts']:.0%} of the texts are equal")
    typing = figures["one_sentence_ms"]
    print(f"one sentence, {CLIENTS} clients at once: p50 {typing['p50']:.0f} ms, p95 {typing['p95']:.0f} ms")


if __name__ == "__main__":
    run(*sys.argv[1:2])
