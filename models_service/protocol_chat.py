"""The messages between a browser and /ws/chat/, a part of the contract. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field, TypeAdapter

from models_service.protocol_base import Message


class AskMessage(Message):
    """Ask in a conversation, or in a new one. `key` is made by the page: a repeat of it is not asked twice."""

    type: Literal["ask"] = "ask"
    key: str = Field(min_length=8, max_length=64)
    question: str = Field(max_length=1_000_000, description="checked again, with a kinder error, before it is asked")
    conversation: str | None = None
    collections: list[str] = Field(default_factory=list, max_length=50, description="ids; none means all readable")
    replaces: int | None = Field(None, description="edit: the id of the user message that this one replaces")


class RegenerateMessage(Message):
    """Answer the same question once more; the old answer is kept as an earlier version."""

    type: Literal["regenerate"] = "regenerate"
    key: str = Field(min_length=8, max_length=64)
    message: int = Field(description="the answer's message id")


class ResumeMessage(Message):
    """Send the events of this answer after `after` (0: all), then follow it to its end."""

    type: Literal["resume"] = "resume"
    message: int
    after: int = Field(0, ge=0)


class StopMessage(Message):
    type: Literal["cancel"] = "cancel"
    message: int


BrowserMessage = Annotated[
    Union[AskMessage, RegenerateMessage, ResumeMessage, StopMessage], Field(discriminator="type")
]
parse_browser_message: TypeAdapter[BrowserMessage] = TypeAdapter(BrowserMessage)


class ChatEnvelope(Message):
    """What the browser receives: one event of one answer. `message` is the answer's id, `seq` counts from 1."""

    message: int
    conversation: str
    seq: int
    event: dict[str, Any] = Field(description='a "start" (with the saved question) or an answer event')
