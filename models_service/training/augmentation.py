"""Named, seeded ways to make more training examples of those there are, for texts whose words carry no places.

    token_dropout     a copy with a tenth of its words left out (Iyyer et al. 2015, word dropout)
    spelling_noise    a copy with letters of a tenth of its longer words swapped, left out or doubled, as in typing

Held-out rows are never changed. What was made is told in the run's log and kept in its record, with examples.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from models_service.training.run_folder import RunFolder

RATE = 0.1
"""Share of a text's words that are changed; one at least."""
SHORTEST_WORD = 4
"""Letters. Of a shorter word too little is left."""
SHOWN = 3
"""Examples of each step that the record keeps."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7a3"
_WORDS = re.compile(rf"\s*(?:[{_CJK}]|[^\s{_CJK}]+)")
_LETTERS = re.compile(r"[^\W\d_]+")
Row = TypeVar("Row")


def token_dropout(text: str, rng: random.Random) -> str:
    """With words left out; of Chinese and Japanese, characters. The text itself when it has but one."""
    words = _WORDS.findall(text)
    if len(words) < 2:
        return text
    gone = set(rng.sample(range(len(words)), max(1, round(RATE * len(words)))))
    return "".join(word for place, word in enumerate(words) if place not in gone).strip()


def spelling_noise(text: str, rng: random.Random) -> str:
    """With words misspelt. The text itself when no word is long enough."""
    found = [match.span() for match in _LETTERS.finditer(text)
             if len(match[0]) >= SHORTEST_WORD and match[0].isascii()]
    chosen = rng.sample(found, min(len(found), max(1, round(RATE * len(found)))))
    for start, end in sorted(chosen, reverse=True):
        text = text[:start] + _misspelt(text[start:end], rng) + text[end:]
    return text


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)  # the first letter is seldom wrong
    way = rng.choice(("swap", "drop", "double"))
    if way == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if way == "drop" else word[: at + 1] + word[at:]


STEPS: dict[str, Callable[[str, random.Random], str]] = {
    "token_dropout": token_dropout, "spelling_noise": spelling_noise,
}


def augmented(
    rows: Sequence[Row], shares: dict[str, float], seed: int, run: RunFolder, *,
    text_of: Callable[[Row], str], with_text: Callable[[Row, str], Row],
) -> list[Row]:
    """The rows with the copies that each step makes of its share of them.

    Args:
        shares: by the names of STEPS, 0 to 1 each: how many of `rows` get such a copy.
    """
    made, record = list(rows), []
    for name, share in shares.items():
        if not share:
            continue
        rng = random.Random(f"{name} {seed}")
        pairs = [(row, STEPS[name](text_of(row), rng)) for row in rng.sample(list(rows), round(share * len(rows)))]
        copies = [(row, text) for row, text in pairs if text and text != text_of(row)]
        before = len(made)
        made += [with_text(row, text) for row, text in copies]
        shown = [[text_of(row)[:200], text[:200]] for row, text in copies[:SHOWN]]
        run.say(f"{name}: {len(copies)} changed copies, {before} examples before, {len(made)} after")
        for given, text in shown:
            run.say(f"{name}: “{given}” → “{text}”")
        record.append({"name": name, "before": before, "after": len(made), "examples": shown})
    if record:
        run.event(result={"augmented": record})
    return made


def shares_of(settings: Any) -> dict[str, float]:
    """What a recipe's settings ask for."""
    return {name: getattr(settings, name) for name in STEPS}
