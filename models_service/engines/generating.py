"""What a generator is: one model that writes on after a text, for several requests at once, piece by piece.

An `Engine` gives each input its whole output in one batch; a generator has a text in the making for each request, so
it has a base of its own. It knows no queue and no socket; whoever runs it keeps to its number of `slots`. Apart from
the generators themselves, so that naming all this imports no model library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Said:
    """One message of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Generation:
    """What a generator is given: messages, or a prompt when there are none, and how to choose the next token."""

    messages: tuple[Said, ...] = ()
    prompt: str = ""
    max_tokens: int = 512
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: int | None = None
    """How many of the likeliest tokens are told at each place, beside the chosen one; None: nothing is told."""


@dataclass(frozen=True)
class TokenChance:
    """A token that was written, its log-probability, and the likeliest tokens at its place with theirs."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Finish:
    """Why the text ends, and how many tokens it took, where that is known; `logprobs` where they were asked for."""

    reason: Literal["stop", "length"]
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    logprobs: tuple[TokenChance, ...] | None = None


class Generator(ABC):
    """`name` is the model's name; `slots` is how many texts may be in the making at once."""

    name: str
    slots: int

    async def open(self) -> None:
        """Get ready, where that takes time; `stream` does it too. Raises ModelsError."""
        return None

    @abstractmethod
    def stream(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        """The text in pieces, none of them empty, then one Finish. Raises ModelsError.

        Closing the iterator frees the slot before its next token.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of weights or connections."""
