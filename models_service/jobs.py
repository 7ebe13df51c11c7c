"""A request in an engine's queue, its pieces in a batch, and how fast they go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models_service.errors import ModelsError
from models_service.protocol import Timings

FEW_TOKENS = 128


@dataclass(eq=False)
class Job:
    """One request in the queue. `pieces` are (place, piece) pairs not yet computed, the longest first."""

    client: str
    pieces: deque[tuple[int, Any]]
    tokens: int
    results: list[Any]
    unfinished: int
    done: asyncio.Future[None]
    on_start: Callable[[], None]
    started: float | None = None
    largest_batch: int = 0


@dataclass(frozen=True)
class Outcome:
    outputs: list[Any]
    timings: Timings
    tokens: int = 0


@dataclass(frozen=True)
class Entry:
    job: Job
    place: int
    piece: Any


@dataclass
class Pace:
    """Inputs and tokens a second, lately: for telling a client when to come back, and for batches that end soon."""

    per_second: float = 0.0
    tokens_per_second: float = 0.0

    def saw(self, inputs: int, tokens: int, seconds: float) -> None:
        """One batch."""
        self.per_second = _lately(self.per_second, inputs / max(seconds, 1e-6))
        self.tokens_per_second = _lately(self.tokens_per_second, tokens / max(seconds, 1e-6))

    def tokens_in(self, seconds: float) -> int:
        """How many are computed in so long; few while nothing has been seen yet."""
        return max(int(seconds * self.tokens_per_second), FEW_TOKENS)

    def milliseconds_for(self, inputs: int) -> int:
        return int(min(max(1000 * inputs / (self.per_second or 100.0), 100), 10_000))


def _lately(before: float, now: float) -> float:
    return 0.8 * before + 0.2 * now if before else now


def make_job(
    split: Sequence[Sequence[Any]], cost: Callable[[Any], int], client: str, on_start: Callable[[], None]
) -> Job:
    pieces = [piece for pieces in split for piece in pieces]
    costs = [cost(piece) for piece in pieces]
    order = sorted(range(len(pieces)), key=lambda place: -costs[place])
    return Job(
        client=client, pieces=deque((place, pieces[place]) for place in order), tokens=sum(costs),
        results=[None] * len(pieces), unfinished=len(pieces), done=asyncio.get_running_loop().create_future(),
        on_start=on_start,
    )


def fail(job: Job, problem: ModelsError) -> None:
    job.pieces.clear()
    if not job.done.done():
        job.done.set_exception(problem)
