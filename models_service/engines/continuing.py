"""A text and how a causal model goes on with it, as its samples keep it. Imports no model library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Continuation:
    """A prompt and the tokens to weigh after it; without any, the likeliest `length` ones are found."""

    prompt: str
    tokens: tuple[int, ...] = ()
    length: int = 16


@dataclass(frozen=True)
class Continued:
    """The tokens, the log-probability of each, and by how much, in nats, the likeliest token leads over each."""

    tokens: tuple[int, ...]
    text: str
    logprobs: tuple[float, ...]
    leads: tuple[float, ...]
