"""A generator's slots: who may write now, who waits, in an order that is fair between clients; and their figures.

A slot is one text in the making. Whoever asks waits for one in the line of its client; free slots go to the clients
in turn. The line is bounded: past that a request is refused at once, with the time after which to come back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from models_service import metrics
from models_service.engines.generating import Finish, Generation, Generator, Said
from models_service.errors import ModelsError
from models_service.protocol import GenerateDone, GenerateRequest, GenerateTimings, TokenLogprob, Usage

WAITING_PER_SLOT = 8
"""How many requests may wait; one client may have half of the line."""
MAX_TEXT_CHARACTERS = 400_000
"""A server that does not keep to `max_tokens` is cut off here."""


class Slots:
    """Runs one generator. Belongs to the event loop that it is used in."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._free = generator.slots
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._clients: Counter[str] = Counter()
        self._seconds = 0.0
        """What a text takes, lately."""

    async def stream(
        self, request: GenerateRequest, on_start: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[str | GenerateDone, None]:
        """The text in pieces, then how it ended. Closing the iterator gives the slot to the next in line.

        Args:
            on_start: called when the slot is there.

        Raises:
            ModelsError: busy, deadline, or the generator's own.
        """
        arrived = time.monotonic()
        await self._take(request.client, request.deadline_ms)
        began = time.monotonic()
        metrics.QUEUE_SECONDS.labels(self.generator.name).observe(began - arrived)
        metrics.WRITING.labels(self.generator.name).inc()
        try:
            on_start()
            said: list[str] = []
            first: float | None = None
            length = 0
            finish = Finish("length")
            async with aclosing(self.generator.stream(_generation(request))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Finish):
                        finish = piece
                        break
                    if first is None:
                        first = time.monotonic()
                        metrics.FIRST_TOKEN_SECONDS.labels(self.generator.name).observe(first - arrived)
                    said.append(piece)
                    yield piece
                    length += len(piece)
                    if length >= MAX_TEXT_CHARACTERS:
                        break
            ended = time.monotonic()
            self._seconds = 0.8 * self._seconds + 0.2 * (ended - began) if self._seconds else ended - began
            metrics.TOKENS_WRITTEN.labels(self.generator.name).inc(finish.completion_tokens or 0)
            yield GenerateDone(
                id=request.id, model=self.generator.name, text="".join(said), finish_reason=finish.reason,
                usage=Usage(prompt_tokens=finish.prompt_tokens, completion_tokens=finish.completion_tokens),
                timings=GenerateTimings(
                    queue_ms=_ms(began - arrived), first_token_ms=None if first is None else _ms(first - began),
                    compute_ms=_ms(ended - began),
                ),
                logprobs=None if finish.logprobs is None else [
                    TokenLogprob(token=one.token, logprob=one.logprob, top=list(one.top)) for one in finish.logprobs
                ],
            )
        finally:
            metrics.WRITING.labels(self.generator.name).dec()
            self._give_back()

    @property
    def free(self) -> int:
        return self._free

    @property
    def waiting(self) -> int:
        return self._clients.total()

    async def _take(self, client: str, deadline_ms: int | None) -> None:
        if self._free and not self._lines:
            self._free -= 1
            return
        room = WAITING_PER_SLOT * self.generator.slots
        if self.waiting >= room or self._clients[client] >= max(room // 2, 1):
            turns = (1 + self.waiting) / self.generator.slots
            raise ModelsError(
                "busy", "The text generator has more work than it can queue; try again shortly.", retryable=True,
                retry_after_ms=int(min(max(1000 * turns * (self._seconds or 1), 250), 10_000)),
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(client, deque()).append(turn)
        self._clients[client] += 1
        metrics.WAITING.labels(self.generator.name).set(self.waiting)
        try:
            async with asyncio.timeout(deadline_ms / 1000 if deadline_ms else None):
                await turn
        except BaseException as problem:
            if turn.done() and not turn.cancelled():
                self._give_back()  # the turn came in the same moment
            if isinstance(problem, TimeoutError):
                sentence = f"The request did not get its turn within {deadline_ms} ms."
                raise ModelsError("deadline", sentence, retryable=True) from None
            raise
        finally:
            self._leave(client, turn)

    def _leave(self, client: str, turn: asyncio.Future[None]) -> None:
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]
        line = self._lines.get(client, deque())
        if turn in line:
            line.remove(turn)
        if not line:
            self._lines.pop(client, None)
        metrics.WAITING.labels(self.generator.name).set(self.waiting)

    def _give_back(self) -> None:
        """The slot goes to the client that was served longest ago, or is free."""
        while self._lines:
            client, line = next(iter(self._lines.items()))
            turn = line.popleft()
            self._lines.move_to_end(client)
            if not line:
                del self._lines[client]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)


def _generation(request: GenerateRequest) -> Generation:
    return Generation(
        messages=tuple(Said(message.role, message.content) for message in request.messages or ()),
        prompt=request.prompt or "", max_tokens=request.max_tokens, temperature=request.temperature,
        top_p=request.top_p, top_k=request.top_k, stop=tuple(request.stop), seed=request.seed,
        logprobs=request.logprobs,
    )
