"""The samples of a generator: how it goes on with a few texts when it always takes the likeliest token.

Two tokens that are nearly as likely as each other may change places in another number format, and all that follows is
another text then. So a version is asked how likely it holds the tokens that were kept, rather than to find them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from models_service.engines.continuing import Continuation, Continued
from models_service.model_files import ModelUnusable

PROMPTS = (
    "The bridge over the strait was opened", "How many people live in the city?\n", "def add(a, b):\n    return",
    "Der Turm wurde im Jahr", "桥是什么时候开通的？", "a",
)
TOLERANCE = 0.25
TOLERANCES = {"nf4": 1.0}
"""Where weights in 4 bits are wanted. Of the tests' generator they moved by 0.17, in 8 bits by 0.01."""
SHARE = 0.02
"""How far a token's log-probability, and the lead of another token over it, may move, in nats: this much, and this
share of it."""
log = logging.getLogger(__name__)


class GeneratorSample(BaseModel):
    prompt: str
    tokens: list[int]
    text: str
    logprobs: list[float]


class GeneratorSamples(BaseModel):
    texts: list[GeneratorSample]


Run = Callable[[Sequence[Any]], list[Any]]


def continued(run: Run) -> GeneratorSamples:
    found: list[Continued] = run([Continuation(prompt) for prompt in PROMPTS])
    return GeneratorSamples(texts=[
        GeneratorSample(prompt=prompt, tokens=list(one.tokens), text=one.text,
                        logprobs=[round(value, 4) for value in one.logprobs])
        for prompt, one in zip(PROMPTS, found, strict=True)
    ])


def compare(kept: GeneratorSamples, run: Run, dtype: str = "auto") -> None:
    """Raises ModelUnusable when it would no longer go on as it did.

    Args:
        dtype: the number format that it computes in now.
    """
    tolerance, largest = TOLERANCES.get(dtype, TOLERANCE), 0.0
    found: list[Continued] = run([Continuation(one.prompt, tuple(one.tokens)) for one in kept.texts])
    for then, now in zip(kept.texts, found, strict=True):
        if then.text != now.text:
            raise ModelUnusable(f"It spells {then.text[:40]!r} as {now.text[:40]!r}: its vocabulary is another one.")
        for before, after, lead in zip(then.logprobs, now.logprobs, now.leads, strict=True):
            moved = tolerance + SHARE * abs(before)
            largest = max(largest, abs(after - before))
            if not (abs(after - before) <= moved and lead <= moved):
                raise ModelUnusable(
                    f"After {then.prompt[:40]!r} it went on with {then.text[:40]!r} when it was registered; a token "
                    f"of it now has a log-probability of {after:.2f} and had {before:.2f}, and another leads by "
                    f"{lead:.2f}."
                )
    log.info("in %s no token's log-probability moved by more than %.3f", dtype, largest)
