"""The messages of text generation, a part of the contract. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from models_service.protocol_base import Event, Message, Request

MAX_MESSAGES = 100
MAX_PROMPT_CHARACTERS = 400_000
"""Of all messages of one request together."""
MAX_NEW_TOKENS = 16_384


class ChatMessage(Message):
    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_PROMPT_CHARACTERS)


class GenerateRequest(Request):
    """Write on after `messages` (the model's chat template is applied) or after `prompt`, exactly one of the two."""

    type: Literal["generate"] = "generate"
    messages: list[ChatMessage] | None = Field(None, min_length=1, max_length=MAX_MESSAGES)
    prompt: str | None = Field(None, min_length=1, max_length=MAX_PROMPT_CHARACTERS)
    max_tokens: int = Field(512, ge=1, le=MAX_NEW_TOKENS)
    temperature: float = Field(1.0, ge=0, le=2, description="0: always the likeliest token")
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int | None = Field(None, ge=1, le=1000, description="not every remote server knows it")
    stop: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list, max_length=4)
    seed: int | None = Field(None, ge=0, lt=2**32)
    logprobs: int | None = Field(
        None, ge=0, le=20, description="tell of each token how likely it was, and of so many others at its place"
    )

    @model_validator(mode="after")
    def _one_input(self) -> GenerateRequest:
        if (self.messages is None) == (self.prompt is None):
            raise ValueError("give either messages or prompt")
        if sum(len(message.content) for message in self.messages or ()) > MAX_PROMPT_CHARACTERS:
            raise ValueError(f"the messages may have {MAX_PROMPT_CHARACTERS} characters together")
        return self


class GenerateDelta(Event):
    """Text to be appended. Of a client that reads slowly, what it has not taken yet comes as one piece."""

    type: Literal["delta"] = "delta"
    text: str


class Usage(Message):
    """Tokens; None where a remote server does not count them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class GenerateTimings(Message):
    """Milliseconds: until a slot was free, from there to the first text (None: there was none), and in the slot."""

    queue_ms: float
    first_token_ms: float | None = None
    compute_ms: float


class TokenLogprob(Message):
    token: str
    logprob: float
    top: list[tuple[str, float]] = Field(default_factory=list, description="the likeliest at its place, with theirs")


class GenerateDone(Event):
    type: Literal["done"] = "done"
    result: Literal["generate"] = "generate"
    model: str
    version: str = ""
    text: str = Field(description="equals the joined deltas")
    finish_reason: Literal["stop", "length"]
    usage: Usage
    timings: GenerateTimings
    logprobs: list[TokenLogprob] | None = Field(None, description="where asked for, and where the generator has them")
