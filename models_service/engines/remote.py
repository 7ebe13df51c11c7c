"""A generator elsewhere: any server that speaks OpenAI's protocol (vLLM, TGI, Ollama, llama.cpp, OpenAI itself).

What the server says goes to the log, without the key; who asked learns what is wrong and who can mend it. A request
is tried again only while nothing of its text has come.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from models_service.engines.generating import Finish, Generation, Generator, TokenChance
from models_service.errors import ModelsError, ModelsUnavailable

TRIES = 3
FIRST_PAUSE_SECONDS = 0.25
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
"""The longest wait for the next bytes: a server may be loading the model, or working off a long prompt."""
SLOTS = 32
LONGEST_LINE_BYTES = 1024 * 1024
TRY_AGAIN = (500, 502, 503, 504)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemoteServer:
    """`url` is the base that `/chat/completions` is put after, most often ending in /v1. The key is never shown."""

    url: str
    model: str
    key: str = field(default="", repr=False)

    @staticmethod
    def of(environment: Mapping[str, str]) -> RemoteServer | None:
        """As the settings WENDA_GENERATOR_URL, _MODEL and _KEY name it; None when they name none."""
        url, model, key = (environment.get(f"WENDA_GENERATOR_{name}", "").strip() for name in ("URL", "MODEL", "KEY"))
        return RemoteServer(url, model, key) if url else None


class RemoteGenerator(Generator):
    def __init__(
        self, server: RemoteServer, *, slots: int = SLOTS, silence_seconds: float = SILENCE_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self.name = server.model
        self.slots = slots
        self._server = server
        self._pause = first_pause_seconds
        self._client = httpx.AsyncClient(
            base_url=server.url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {server.key}"} if server.key else {},
            timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=slots),
            # A proxy of the environment is for other machines. Redirects are not followed: the key would go along.
            mounts={f"all://{host}": None for host in _LOOPBACK},
        )

    async def stream(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        tries = 0
        while True:
            tries += 1
            begun = False
            try:
                async with aclosing(self._try(given)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except ModelsError as problem:
                if begun or not problem.retryable or problem.code == "busy" or tries == TRIES:
                    raise
                await asyncio.sleep(self._pause * 2 ** (tries - 1) * random.uniform(0.75, 1.25))

    async def close(self) -> None:
        await self._client.aclose()

    async def _try(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        """One request. Leaving it closes its connection, which is how such a server learns to stop."""
        path = "chat/completions" if given.messages else "completions"
        try:
            async with self._client.stream("POST", path, json=self._body(given)) as response:
                if response.status_code != 200:
                    await self._refuse(response)
                async with aclosing(_pieces(response, given)) as pieces:
                    async for piece in pieces:
                        yield piece
        except httpx.ConnectError as problem:
            self._log(problem)
            raise ModelsUnavailable("The text generator cannot be reached.") from None
        except httpx.TimeoutException as problem:
            self._log(problem)
            raise ModelsUnavailable("The text generator did not answer in time.") from None
        except httpx.TransportError as problem:
            self._log(problem)
            raise ModelsUnavailable("The text generator broke off.") from None
        except _Malformed as problem:
            self._log(problem)
            raise ModelsUnavailable("The text generator sent something that is not of the protocol.") from None
        except _Reported as problem:
            self._log(problem)
            raise ModelsUnavailable("The text generator reported an error.") from None

    def _body(self, given: Generation) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._server.model, "stream": True, "stream_options": {"include_usage": True},
            "max_tokens": given.max_tokens, "temperature": given.temperature, "top_p": given.top_p,
        }
        if given.messages:
            body["messages"] = [{"role": said.role, "content": said.content} for said in given.messages]
        else:
            body["prompt"] = given.prompt
        # Sent only where asked for, since not every server knows them.
        optional = {"top_k": given.top_k, "stop": list(given.stop) or None, "seed": given.seed}
        if given.logprobs is not None:
            optional |= {"logprobs": True, "top_logprobs": given.logprobs} if given.messages else {
                "logprobs": given.logprobs}
        return body | {name: value for name, value in optional.items() if value is not None}

    async def _refuse(self, response: httpx.Response) -> None:
        """Raises what an answer other than 200 means."""
        status = response.status_code
        said = await _beginning(response)
        self._log(f"status {status}: {said}")
        if status in (401, 403):
            raise ModelsUnavailable(
                "The text generator refuses the key of this site; the administrator can set WENDA_GENERATOR_KEY.",
                retryable=False,
            )
        if status == 404:
            raise ModelsError(
                "not_found", f"The text generator has no model {self.name!r}, or its address is not right; the "
                "administrator can set WENDA_GENERATOR_MODEL and WENDA_GENERATOR_URL.",
            )
        if status == 429:
            raise ModelsError(
                "busy", "The text generator has too much to do.", retryable=True,
                retry_after_ms=_retry_after_ms(response),
            )
        if status == 413:
            raise ModelsError("too_large", "This is more text than the text generator takes.")
        if status in TRY_AGAIN:
            raise ModelsUnavailable(f"The text generator failed with status {status}.")
        if 300 <= status < 400:
            raise ModelsUnavailable(
                "The text generator's address has moved; the administrator can set WENDA_GENERATOR_URL.",
                retryable=False,
            )
        raise ModelsError("bad_request", f"The text generator refused the request with status {status}.")

    def _log(self, problem: object) -> None:
        where = f"{self._client.base_url.host}:{self._client.base_url.port or ''}"
        text = str(problem) or type(problem).__name__
        log.warning("generator at %s: %s", where, text.replace(self._server.key or "\0", "(key)"))


class _Malformed(Exception):
    """The stream is not what the protocol says."""


class _Reported(Exception):
    """An event of the stream says that the server failed."""


async def _pieces(response: httpx.Response, given: Generation) -> AsyncGenerator[str | Finish, None]:
    """The text and the end that the events of a stream hold."""
    finish: str | None = None
    chances: list[TokenChance] | None = None
    usage: dict[str, Any] = {}
    async with aclosing(_events(response)) as events:
        async for event in events:
            if isinstance(event.get("usage"), dict):
                usage = event["usage"]
            choices = event.get("choices")
            if not choices:
                continue
            try:
                choice = choices[0]
                text = choice["delta"].get("content") if "delta" in choice else choice["text"]
                finish = choice.get("finish_reason") or finish
                told = choice.get("logprobs") if given.logprobs is not None else None
                if told is not None and len(chances := chances or []) < given.max_tokens:
                    chances += _chances(told)
            except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
                raise _Malformed(f"an event has no text: {str(event)[:200]}") from None
            if text is not None and not isinstance(text, str):
                raise _Malformed(f"an event's text is no text: {str(event)[:200]}")
            if text:
                yield text
    if finish is None:
        raise _Malformed("the stream ended without a reason for it")
    yield Finish(
        "length" if finish == "length" else "stop", _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")), None if chances is None else tuple(chances),
    )


def _chances(told: dict[str, Any]) -> list[TokenChance]:
    """As a chat tells them, or a completion."""
    if told.get("content"):
        return [
            TokenChance(str(one["token"]), _logprob(one["logprob"]), tuple(
                (str(top["token"]), _logprob(top["logprob"])) for top in one.get("top_logprobs") or ()))
            for one in told["content"]
        ]
    tokens = told.get("tokens") or []
    tops = told.get("top_logprobs") or [None] * len(tokens)
    return [
        TokenChance(str(token), _logprob(value), tuple((str(one), _logprob(of)) for one, of in (top or {}).items()))
        for token, value, top in zip(tokens, told.get("token_logprobs") or [], tops, strict=True)
    ]


def _logprob(value: Any) -> float:
    """A finite one: JSON has no other, and OpenAI writes -9999 for what is as good as impossible."""
    return min(max(-9999.0, float(value)), 0.0)


async def _events(response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
    """The JSON objects of a text/event-stream, to its [DONE] or its end."""
    kind = response.headers.get("content-type", "")
    if "text/event-stream" not in kind:
        raise _Malformed(f"not a stream of events but {kind or 'nothing named'}: {await _beginning(response)}")
    rest = b""
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                data = line.strip().removeprefix(b"data:") if line.startswith(b"data:") else b""
                if data.strip() == b"[DONE]":
                    return
                if data:
                    yield _event(data)
            if len(rest) > LONGEST_LINE_BYTES:
                raise _Malformed("an event is too long")


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise _Malformed(f"an event is no JSON: {data[:200]!r}") from None
    if not isinstance(event, dict):
        raise _Malformed(f"an event is no object: {data[:200]!r}")
    if event.get("error"):
        raise _Reported(str(event["error"])[:500])
    return event


async def _beginning(response: httpx.Response) -> str:
    said = b""
    async for chunk in response.aiter_bytes():
        said += chunk
        if len(said) >= 500:
            break
    return said[:500].decode("utf-8", "replace")


def _retry_after_ms(response: httpx.Response) -> int:
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:  # it may also be a date
        seconds = 1.0
    return int(1000 * min(max(seconds, 0.1), 60))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
