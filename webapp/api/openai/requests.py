"""What a client of OpenAI's interface may send. Fields that change nothing here are let pass, as other servers do;
those that would change the answer, and cannot be heeded, are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from models_service.protocol_generation import MAX_MESSAGES, MAX_NEW_TOKENS, ChatMessage
from webapp.errors import BadInput

MOST_CHOICES = 8
MOST_PROMPTS = 16
MOST_INPUTS = 2048
Stop = Annotated[str, StringConstraints(min_length=1, max_length=100)]
R = TypeVar("R", bound=BaseModel)


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class ChatInput(BaseModel):
    """One message; `content` may come in parts, which must be texts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content or ())


class StreamOptions(BaseModel):
    include_usage: bool = False


class Sampling(BaseModel):
    """What requests for chats and for completions share."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=200, description="one of /v1/models")
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    n: int | None = Field(None, ge=1, le=MOST_CHOICES, description="how many choices")
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = Field(None, description="one, or up to four")
    seed: int | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    frequency_penalty: Literal[0] | None = Field(None, description="only 0")
    presence_penalty: Literal[0] | None = Field(None, description="only 0")
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = Field(None, description="only empty")
    collections: list[Annotated[str, StringConstraints(max_length=200)]] | None = Field(
        None, max_length=50, description="not of OpenAI: answer from these collections, by id or name, with citations"
    )

    @property
    def choices(self) -> int:
        return self.n or 1

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or ())

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def settings(self) -> dict[str, Any]:
        """As the model service is asked."""
        given = {"temperature": self.temperature, "top_p": self.top_p, "stop": self.stops}
        return {name: value for name, value in given.items() if value is not None}


class ChatCompletionRequest(Sampling):
    messages: list[ChatInput] = Field(min_length=1, max_length=MAX_MESSAGES)
    max_tokens: int | None = Field(None, ge=1, le=MAX_NEW_TOKENS)
    max_completion_tokens: int | None = Field(None, ge=1, le=MAX_NEW_TOKENS)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: Annotated[dict[str, Any], Field()] | None = Field(None, description='only {"type": "text"}')
    tools: Annotated[list[Any], Field(max_length=0)] | None = Field(None, description="only empty")

    @property
    def most_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def likeliest(self) -> int | None:
        return (self.top_logprobs or 0) if self.logprobs else None

    def chat(self) -> list[ChatMessage]:
        return [ChatMessage(role="system" if said.role == "developer" else said.role, content=said.text)
                for said in self.messages]


class CompletionRequest(Sampling):
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS)]
    max_tokens: int | None = Field(None, ge=1, le=MAX_NEW_TOKENS, description="16 when not given")
    logprobs: int | None = Field(None, ge=0, le=5)
    echo: bool | None = False
    suffix: Literal[""] | None = Field(None, description="only empty")
    best_of: Literal[1] | None = Field(None, description="only 1")

    @property
    def prompts(self) -> list[str]:
        return [self.prompt] if isinstance(self.prompt, str) else list(self.prompt)


class EmbeddingRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=200, description="one of /v1/models")
    input: str | Annotated[list[str], Field(min_length=1, max_length=MOST_INPUTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1, description="only what the model gives")

    @property
    def inputs(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else list(self.input)


def read(kind: type[R], data: Any) -> R:
    """The request in a body. Raises BadInput, which names the field."""
    try:
        asked = kind.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in kind.model_fields
                         or str(part).islower() and str(part).isidentifier())
        if first["loc"][:1] in (("input",), ("prompt",)) and _holds_tokens(first.get("input"), data):
            raise BadInput(_("Send texts, not tokens: the models here have vocabularies of their own. In LangChain "
                             "set check_embedding_ctx_length to False."), field.split(".")[0]) from None
        raise BadInput(f"{field or 'request'}: {first['msg']}", field) from None
    if isinstance(asked, ChatCompletionRequest) and (asked.response_format or {}).get("type", "text") != "text":
        raise BadInput(_("Only texts can be written; leave response_format out."), "response_format")
    return asked


def _holds_tokens(given: Any, data: Any) -> bool:
    values = data.get("input", data.get("prompt")) if isinstance(data, dict) else given
    return isinstance(values, list) and bool(values) and all(isinstance(one, int | list) for one in values)
