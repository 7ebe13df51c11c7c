"""From a keystroke to the translation, with 20 people typing at once.

The whole site runs as `manage.py up` runs it. Each person types sentences of Tatoeba's style letter by letter, at 150
to 350 ms a letter; the page's wait of 300 ms after the last letter is not counted: measured is from the frame that
asks to the first piece and to the whole. `python -m tests.benchmarks typing`
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from tests.benchmarks._site import running_site
from tests.running_site import Site

PEOPLE = 20
SENTENCES = [
    "Where is the nearest station?", "I have never seen such a beautiful garden.", "It is too cold to swim today.",
    "The train leaves at a quarter to eight.", "She asked him whether he could help her.",
    "We are going to the mountains next week.", "My brother works in a hospital.",
    "Could you please close the window?",
]
SENTENCES_EACH = 2
QUICK = {"people": 2, "sentences": 1}
PAUSE_SECONDS = 0.3
"""What the page waits after a letter before it asks."""

ONE_ADDRESS = {"WENDA_REQUESTS_PER_MINUTE": "1000000", "WENDA_AT_ONCE": "100"}
"""All of them come from this machine as guests, who are one person to the limits."""


def run(people: int = PEOPLE, sentences: int = SENTENCES_EACH) -> dict[str, Any]:
    """Prints the table; milliseconds."""
    with running_site(**ONE_ADDRESS) as site:
        offered = httpx.get(f"{site.address}/api/v1/languages", timeout=120, trust_env=False).json()["pairs"]
        if not offered:
            print("No translator is installed, so there is nothing to measure.")
            return {}
        pair = next((pair for pair in offered if pair["source"] == "en"), offered[0])
        times = asyncio.run(_all(site, pair["source"], pair["target"], people, sentences))
    figures = {name: {"p50": float(np.percentile(own, 50)), "p95": float(np.percentile(own, 95)), "n": len(own)}
               for name, own in times.items()}
    print(f"Milliseconds from asking to ... ({people} people typing, {pair['source']} to {pair['target']}, "
          f"{pair['model']})")
    print(f"{'':>16}  {'p50':>8}  {'p95':>8}  {'n':>6}")
    for name, row in figures.items():
        print(f"{name:>16}  {row['p50']:>8.0f}  {row['p95']:>8.0f}  {row['n']:>6}")
    return {"people": people, "milliseconds": figures}


async def _all(site: Site, source: str, target: str, people: int, sentences: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"first piece": [], "whole": []}
    cookies = "; ".join(f"{name}={value}" for name, value in httpx.get(f"{site.address}/translate/", trust_env=False)
                        .cookies.items())
    address = site.address.replace("http", "ws", 1) + "/ws/translate/"
    async with connect(address, additional_headers={"Cookie": cookies, "Origin": site.address}, proxy=None) as socket:
        await _ask(socket, "warm", "A first one.", source, target)
    await asyncio.gather(*(
        _person(number, site, address, cookies, source, target, sentences, times) for number in range(people)
    ))
    return times


async def _person(
    number: int, site: Site, address: str, cookies: str, source: str, target: str, sentences: int,
    times: dict[str, list[float]],
) -> None:
    """Types; asks as the page does, when no letter came for a while or at the end of a word."""
    rng = random.Random(number)
    headers = {"Cookie": cookies, "Origin": site.address}
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        for index in range(sentences):
            # the number makes each text new, so that none is remembered from another person
            text = f"{number * 10 + index} {rng.choice(SENTENCES)}"
            typed = ""
            for letter in text:
                typed += letter
                pause = rng.uniform(0.15, 0.35)
                await asyncio.sleep(pause)
                if pause > PAUSE_SECONDS or len(typed) == len(text):
                    first, whole = await _ask(socket, f"{number}-{index}-{len(typed)}", typed, source, target)
                    times["first piece"].append(first)
                    times["whole"].append(whole)


async def _ask(socket: Any, identifier: str, text: str, source: str, target: str) -> tuple[float, float]:
    began = time.perf_counter()
    await socket.send(json.dumps({"type": "translate", "id": identifier, "text": text, "source": source,
                                  "target": target}))
    first = 0.0
    while True:
        event = json.loads(await socket.recv())
        assert event["type"] != "error", event
        now = 1000 * (time.perf_counter() - began)
        first = first or (now if event["type"] in ("delta", "done") else 0.0)
        if event["type"] == "done" and event["id"] == identifier:
            return first, now
