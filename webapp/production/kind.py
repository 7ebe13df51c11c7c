"""What a producer has to know of a kind of thing: the rows it is kept in, how it is made, how it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from webapp.accounts.models import User

LAST_TYPES = ("done", "error")
"""Of the event that ends a thing's events."""


@dataclass(frozen=True)
class Record:
    """How a thing stands, as a follower sees it: its first event and, when it is finished, its last."""

    is_finished: bool
    start: dict[str, Any]
    last: dict[str, Any]


class Job(Protocol):
    """What is to be done; `start` is the first event, `user` whose it is."""

    @property
    def start(self) -> dict[str, Any]: ...

    @property
    def user(self) -> User: ...


class Ending(Protocol):
    """How a thing ends: whatever its kind saves, and the event that is sent last."""

    @property
    def event(self) -> dict[str, Any]: ...


class Kind(Protocol):
    """A kind of thing that is produced: the rows it is kept in, and how it is made."""

    name: str

    async def record(self, identifier: int) -> Record | None:
        """None when it is gone."""
        ...

    async def job(self, identifier: int) -> Any | None:
        """A Job; None when it is finished or gone."""
        ...

    def events(self, job: Any) -> AsyncGenerator[BaseModel, None]:
        """The events after the first; the last one has a type of LAST_TYPES."""
        ...

    def ending(self, last: BaseModel | None, seen: Sequence[BaseModel]) -> Any:
        """An Ending, from the last event, None when it was stopped, and from those before."""
        ...

    def failure(self) -> BaseModel:
        """The last event of something that failed for a reason that nobody foresaw."""
        ...

    async def save(self, identifier: int, ending: Any) -> bool:
        """Give it its end; False when it has one already or is gone."""
        ...

    def gone(self) -> BaseModel:
        """The last event of something that has been deleted."""
        ...
