"""A book summarized: time and peak memory of the whole way of a text, against sumy's TextRank on the same text.

The text is that of the help pages, over and over, with a heading before each chapter, until it has so many pages of
400 words. Each way runs in a process of its own, whose peak memory is the whole of it, libraries and model included;
what takes longer than LIMIT_SECONDS is ended and told as that. `python -m tests.benchmarks.summarizing`
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import resource
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PAGES_OF_TEXT = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter" / "en"
WORDS_A_PAGE = 400
PAGES = (30, 300)
WORDS_WANTED = 400
LIMIT_SECONDS = 900
QUICK = {"pages": (5,)}


def run(pages: Sequence[int] = PAGES) -> dict[str, Any]:
    """Prints the table; for each way and number of pages its seconds and peak megabytes, None where it was ended."""
    figures: dict[str, dict[int, dict[str, float | None]]] = {}
    for name, way in (("wenda", _wenda), ("sumy TextRank", _sumy)):
        figures[name] = {count: _measured(way, _text(count)) for count in pages}
    words = {count: len(_text(count).split()) for count in pages}
    print(f"A text summarized in {WORDS_WANTED} words: seconds, peak memory")
    print(f"{'':>14}" + "".join(f"{f'{count} pages ({words[count]:,} words)':>32}" for count in pages))
    for name, row in figures.items():
        print(f"{name:>14}" + "".join(f"{_told(row[count]):>32}" for count in pages))
    return {"figures": figures, "words": words}


def _told(figure: dict[str, float | None]) -> str:
    if figure["seconds"] is None:
        return f"ended after {LIMIT_SECONDS} s"
    return f"{figure['seconds']:.1f} s, {figure['megabytes']:.0f} MB"


def _text(pages: int) -> str:
    chapters = [re.sub(r"(?m)^#", "##", page.read_text(encoding="utf-8"))
                for page in sorted(PAGES_OF_TEXT.glob("*.md"))]
    parts: list[str] = []
    words = 0
    while words < pages * WORDS_A_PAGE:
        chapter = chapters[len(parts) % len(chapters)]
        parts.append(f"# Chapter {len(parts) + 1}\n\n{chapter}")
        words += len(chapter.split())
    return "\n\n".join(parts)


def _measured(way: Callable[[str], float], text: str) -> dict[str, float | None]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(way, text, there))
    process.start()
    there.close()
    try:
        if not here.poll(LIMIT_SECONDS):
            return {"seconds": None, "megabytes": None}
        seconds, megabytes = here.recv()
        return {"seconds": round(seconds, 2), "megabytes": round(megabytes, 1)}
    finally:
        process.kill()
        process.join()


def _child(way: Callable[[str], float], text: str, parent: Connection) -> None:
    seconds = way(text)
    parent.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _wenda(text: str) -> float:
    """From the text to the summary; the model is loaded before."""
    from models_service.in_process import InProcessModels
    from qa.writing.summarize import summarize_text

    async def work() -> float:
        async with InProcessModels() as models:
            await models.summarize(["So that the model is loaded."])
            began = time.perf_counter()
            async for _ in summarize_text(text, length=WORDS_WANTED, models=models):
                pass
            return time.perf_counter() - began

    return asyncio.run(work())


def _sumy(text: str) -> float:
    """Its sentences are those that we find, for its own tokenizer wants a data file that is not in its package."""
    from models_service.evaluation.summary_baselines import textrank
    from models_service.sentences import sentences

    began = time.perf_counter()
    assert textrank([text[start:end] for start, end in sentences(text)], WORDS_WANTED)
    return time.perf_counter() - began


if __name__ == "__main__":
    run()
