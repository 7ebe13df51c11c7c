"""What every message of the contract has: strictness, an id, who asks. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models_service.trace import NONE

RequestId = Annotated[str, Field(min_length=1, max_length=64)]


class Message(BaseModel):
    """Strict: an unknown field is an error, so that a typing mistake is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Request(Message):
    id: RequestId
    model: str | None = Field(None, max_length=200, description="a registry name; the service's default otherwise")
    client: str = Field("", max_length=64, description="who asks, for fair queues: a user's id, never a name")
    deadline_ms: int | None = Field(None, gt=0, description="give up when not started after this long")
    trace: str = Field(NONE, pattern=r"^[\w.:-]{1,64}$", description="which request of the site this is a part of")


class Event(Message):
    id: RequestId


class Timings(Message):
    """Milliseconds."""

    queue_ms: float
    compute_ms: float
    batch_size: int
