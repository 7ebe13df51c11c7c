"""What the choices of one request give, piece by piece, whichever way they come about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from models_service.client import ModelsError, ModelService
from models_service.protocol import ChatMessage, GenerateDone, TokenLogprob
from webapp.accounts.models import User
from webapp.api.openai.errors import WritingFailed
from webapp.limits import meter, tokens
from webapp.limits.slots import Slot


@dataclass(frozen=True)
class Ended:
    """How one choice ended. `more` are fields that OpenAI's interface does not have."""

    reason: Literal["stop", "length"]
    prompt_tokens: int | None
    completion_tokens: int | None
    logprobs: tuple[TokenLogprob, ...] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    annotations: tuple[dict[str, Any], ...] = ()


Choice = AsyncGenerator[str | Ended, None]
Pieces = AsyncGenerator[tuple[int, str | Ended], None]


async def written(
    models: ModelService, messages: Sequence[ChatMessage], user: User, settings: dict[str, Any]
) -> Choice:
    """What the generator itself writes. Raises WritingFailed."""
    used = sum(tokens.count(said.content) for said in messages) + tokens.count(settings.get("prompt", ""))
    try:
        async with aclosing(models.generate(messages, client=str(user.pk), **settings)) as pieces:
            async for piece in pieces:
                if isinstance(piece, GenerateDone):
                    used = (piece.usage.prompt_tokens or 0) + (piece.usage.completion_tokens or 0) or used
                    yield Ended(
                        piece.finish_reason, piece.usage.prompt_tokens, piece.usage.completion_tokens,
                        None if piece.logprobs is None else tuple(piece.logprobs),
                    )
                    return
                used += tokens.count(piece)
                yield piece
    except ModelsError as problem:
        raise WritingFailed.of(problem) from None
    finally:
        await asyncio.to_thread(meter.charge, user, used)


async def together(choices: Sequence[Choice]) -> Pieces:
    """The pieces of all choices as they come, each with its choice's number. Closing it stops all of them."""
    if len(choices) == 1:
        async with aclosing(choices[0]):
            async for piece in choices[0]:
                yield 0, piece
        return
    arrived: asyncio.Queue[tuple[int, str | Ended | Exception]] = asyncio.Queue()

    async def follow(number: int, choice: Choice) -> None:
        try:
            async with aclosing(choice):
                async for piece in choice:
                    arrived.put_nowait((number, piece))
        except Exception as problem:
            arrived.put_nowait((number, problem))

    tasks = [asyncio.create_task(follow(number, choice)) for number, choice in enumerate(choices)]
    try:
        left = len(choices)
        while left:
            number, piece = await arrived.get()
            if isinstance(piece, Exception):
                raise piece
            left -= isinstance(piece, Ended)
            yield number, piece
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


FIRST_LOOK_SECONDS = 2.0


async def in_slot(pieces: Pieces, slot: Slot) -> Pieces:
    async with slot, aclosing(pieces):
        async for piece in pieces:
            yield piece


async def looked_at(pieces: Pieces) -> AsyncIterator[tuple[int, str | Ended]]:
    """The same pieces, having waited a moment for the first: what is refused at once gets its own HTTP status.

    A first piece that takes longer is waited for in the stream, whose reader may leave meanwhile.
    """
    first = asyncio.ensure_future(anext(pieces))
    try:
        done, _ = await asyncio.wait([first], timeout=FIRST_LOOK_SECONDS)
    except asyncio.CancelledError:
        await _abandon(first)
        raise
    if done and (problem := first.exception()):
        raise problem
    return _begun(first, pieces)


async def _begun(first: asyncio.Future[Any], pieces: Pieces) -> AsyncGenerator[tuple[int, str | Ended], None]:
    async with aclosing(pieces):
        try:
            yield await first
        except BaseException:
            await _abandon(first)
            raise
        async for piece in pieces:
            yield piece


async def _abandon(first: asyncio.Future[Any]) -> None:
    """Whoever waited for it has left: the cancellation closes what makes the pieces."""
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def gathered(pieces: Pieces, choices: int) -> list[tuple[str, Ended]]:
    """Each choice's whole text and its end."""
    texts: list[list[str]] = [[] for _ in range(choices)]
    ends: dict[int, Ended] = {}
    async with aclosing(pieces):
        async for number, piece in pieces:
            if isinstance(piece, Ended):
                ends[number] = piece
            else:
                texts[number].append(piece)
    return [("".join(said), ends[number]) for number, said in enumerate(texts)]
