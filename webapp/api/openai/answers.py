"""Response bodies as OpenAI's clients read them: whole, and as the chunks of a stream."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from models_service.protocol import TokenLogprob
from webapp.api.openai.errors import body, body_of
from webapp.api.openai.pieces import Ended
from webapp.errors import SiteError


@dataclass(frozen=True)
class Form:
    """What distinguishes a chat's bodies from a completion's. `echo` is put before each choice of a completion."""

    chat: bool
    model: str
    echo: Sequence[str] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, chunk: bool) -> dict[str, Any]:
        kind = ("chat.completion" if self.chat else "text_completion") + (".chunk" if self.chat and chunk else "")
        return {"id": ("chatcmpl-" if self.chat else "cmpl-") + self.id, "object": kind, "created": self.created,
                "model": self.model}

    def choice(self, number: int, text: str, ended: Ended) -> dict[str, Any]:
        said: dict[str, Any] = {"text": self._before(number) + text}
        if self.chat:
            said = {"message": {"role": "assistant", "content": text, "refusal": None,
                                "annotations": list(ended.annotations)}}
        return {"index": number, **said, "logprobs": self._logprobs(ended.logprobs), "finish_reason": ended.reason}

    def chunk(self, number: int, text: str | None, ended: Ended | None = None) -> dict[str, Any]:
        """`text` is None at the end of a choice."""
        said: dict[str, Any] = {"text": text or ""}
        if self.chat:
            said = {"delta": {} if text is None else {"content": text}}
            if ended and ended.annotations:
                said["delta"]["annotations"] = list(ended.annotations)
        choice = {"index": number, **said, "logprobs": self._logprobs(ended.logprobs) if ended else None,
                  "finish_reason": ended.reason if ended else None}
        return {**self.head(True), "choices": [choice], **(ended.more if ended else {})}

    def first(self, number: int) -> dict[str, Any] | None:
        """What a choice's stream begins with."""
        if self.chat:
            chunk = self.chunk(number, "")
            chunk["choices"][0]["delta"]["role"] = "assistant"
            return chunk
        return self.chunk(number, self._before(number)) if self._before(number) else None

    def _before(self, number: int) -> str:
        return self.echo[number] if self.echo else ""

    def _logprobs(self, told: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
        if told is None:
            return None
        if self.chat:
            return {"content": [{**_token(one.token, one.logprob), "top_logprobs": [_token(*top) for top in one.top]}
                                for one in told], "refusal": None}
        places = [0]
        for one in told:
            places.append(places[-1] + len(one.token))
        return {"tokens": [one.token for one in told], "token_logprobs": [one.logprob for one in told],
                "top_logprobs": [dict(one.top) for one in told], "text_offset": places[:-1]}


def whole(form: Form, written: Sequence[tuple[str, Ended]], prompts: int = 1) -> dict[str, Any]:
    """The body of a response that is not streamed. Every choice of one request is cited alike."""
    choices = [form.choice(number, text, ended) for number, (text, ended) in enumerate(written)]
    ends = [ended for _, ended in written]
    return {**form.head(False), "choices": choices, "usage": usage(ends, prompts), **written[0][1].more}


async def stream(
    form: Form, pieces: AsyncIterator[tuple[int, str | Ended]], choices: int, include_usage: bool, prompts: int = 1
) -> AsyncIterator[bytes]:
    """The events of a stream. What goes wrong in the middle is its last event."""
    ends: list[Ended] = []
    blank = {"usage": None} if include_usage else {}
    async with aclosing(pieces):  # type: ignore[type-var]
        for number in range(choices):
            if begin := form.first(number):
                yield _event({**begin, **blank})
        try:
            async for number, piece in pieces:
                if isinstance(piece, Ended):
                    ends.append(piece)
                    yield _event({**form.chunk(number, None, piece), **blank})
                else:
                    yield _event({**form.chunk(number, piece), **blank})
        except SiteError as problem:
            yield _event(body_of(problem))
            return
        except Exception:
            yield _event(body(500, "Something went wrong on the server. Its log says what."))
            raise
    if include_usage:
        yield _event({**form.head(True), "choices": [], "usage": usage(ends, prompts)})
    yield b"data: [DONE]\n\n"


def usage(ends: Sequence[Ended], prompts: int) -> dict[str, int] | None:
    """Tokens of all choices, each prompt counted once; None where the generator does not count."""
    if any(one.prompt_tokens is None or one.completion_tokens is None for one in ends):
        return None
    asked = sum(one.prompt_tokens or 0 for one in ends) * prompts // max(len(ends), 1)
    written = sum(one.completion_tokens or 0 for one in ends)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _event(values: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(values, ensure_ascii=False)}\n\n".encode()
