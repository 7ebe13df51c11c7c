"""What an engine is: one model, and inputs that are cut into pieces, computed in batches and joined to outputs.

An engine knows no queue and no socket. Whoever runs it calls `split` from one thread and `compute` from one thread
(they may be two), and may put pieces of many inputs and many users into one batch.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Input = TypeVar("Input")
Piece = TypeVar("Piece")
Result = TypeVar("Result")
Output = TypeVar("Output")


class Engine(ABC, Generic[Input, Piece, Result, Output]):
    """`name` is the model's registry name; `batch_tokens` is how much one call of `compute` should be given."""

    name: str
    batch_tokens: int

    @abstractmethod
    def load(self) -> None:
        """Read the weights; called once, before anything else. Raises ModelUnusable."""

    def warm(self) -> None:
        """Compute something once, so that the first user does not wait for what is made on first use."""

    @abstractmethod
    def split(self, inputs: Sequence[Input]) -> list[list[Piece]]:
        """Each input as the token sequences that the model will see; in the input's order."""

    @abstractmethod
    def cost(self, piece: Piece) -> int:
        """Tokens."""

    @abstractmethod
    def compute(self, pieces: Sequence[Piece]) -> list[Result]:
        """One result a piece, in their order."""

    @abstractmethod
    def join(self, given: Input, results: Sequence[Result]) -> Output:
        """The output of one input from its pieces' results; cheap, and callable from any thread."""

    def close(self) -> None:
        """Let go of the weights."""

    def run(self, inputs: Sequence[Input]) -> list[Output]:
        """All of it, here and now, for one caller."""
        split = self.split(inputs)
        results = iter(self.compute([piece for pieces in split for piece in pieces]))
        return [
            self.join(given, [next(results) for _ in pieces]) for given, pieces in zip(inputs, split, strict=True)
        ]


reading_weights = threading.RLock()
"""Held by whoever loads a model: transformers makes the whole process build models without memory meanwhile, and a
model that another thread makes then has no weights."""

ENOUGH_TOKENS = 1024
"""From here on a larger batch is no faster on a CPU, and padding costs more than another call of the model."""


def like_sized(pieces: Sequence[Piece], cost: Callable[[Piece], int], most_tokens: int) -> list[list[int]]:
    """Indices of the pieces in batches of like length, longest first, each of at most `most_tokens` with padding."""
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(pieces)), key=lambda i: cost(pieces[i]), reverse=True):
        length = cost(pieces[index])
        padded = longest * len(batches[-1]) if batches else 0
        fits = batches and padded + longest <= most_tokens
        if fits and (padded < ENOUGH_TOKENS or length >= 0.8 * longest):
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = length
    return batches
