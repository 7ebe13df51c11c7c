"""One WebSocket to one replica of the model service: many requests at once, opened again whenever it breaks.

Knows ids and frames; which replica a request goes to, and whether it is sent again, is the client's business.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from models_service.errors import ModelsError
from models_service.protocol import (
    MAX_FRAME_BYTES,
    UNKNOWN_ID,
    CancelRequest,
    ClassifyDone,
    EmbedDone,
    ErrorEvent,
    GenerateDelta,
    GenerateDone,
    LanguagesDone,
    ReadDone,
    Request,
    RerankDone,
    StartEvent,
    SummarizeDone,
    TranslateDone,
    parse_event,
)

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
STEADY_SECONDS = 1.0
"""A connection that lasted this long was a good one: the next pause is the shortest again."""
log = logging.getLogger(__name__)


class LinkBroke(Exception):
    """The connection went away while the request was in flight; nobody knows whether it was worked on."""


Done = EmbedDone | ReadDone | RerankDone | SummarizeDone | ClassifyDone | TranslateDone | LanguagesDone | GenerateDone


class _Arriving:
    """A text on its way in. What its reader has not taken yet is one piece, so that no reader holds up the others."""

    def __init__(self, end: asyncio.Future[Done]) -> None:
        self.text = ""
        self.end = end
        self.changed = asyncio.Event()
        end.add_done_callback(lambda _: self.changed.set())

    def add(self, text: str) -> None:
        self.text += text
        self.changed.set()


class Link:
    """Opens at once and stays open until `close`. Belongs to the event loop it was made in."""

    def __init__(self, url: str, on_change: Callable[[], None]) -> None:
        """`on_change` is called when the link has opened or broken."""
        self.url = url
        self.connected = False
        self._on_change = on_change
        self._waiting: dict[str, asyncio.Future[Done]] = {}
        self._arriving: dict[str, _Arriving] = {}
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._keeper = asyncio.create_task(self._keep_open(), name=f"link to {url}")

    @property
    def load(self) -> int:
        """How many requests await their answer."""
        return len(self._waiting)

    async def stream(self, request: Request) -> AsyncGenerator[str | Done, None]:
        """Send a request and give its text as it comes, if it has any, then its end.

        Closing the iterator, or cancelling the waiting task, cancels the request on the service too.

        Raises:
            LinkBroke: the connection is gone.
            ModelsError: the service's own answer.
        """
        answer = self._send_off(request)
        arriving = self._arriving[request.id] = _Arriving(answer)
        try:
            while True:
                await arriving.changed.wait()
                arriving.changed.clear()
                if arriving.text:
                    text, arriving.text = arriving.text, ""
                    yield text
                if answer.done() and not arriving.text:
                    yield answer.result()
                    return
        finally:
            self._arriving.pop(request.id, None)
            self._leave(request, answer)

    def _send_off(self, request: Request) -> asyncio.Future[Done]:
        frame = request.model_dump_json(exclude_none=True)
        if len(frame.encode()) > MAX_FRAME_BYTES:
            raise ModelsError("too_large", f"A request may have {MAX_FRAME_BYTES >> 20} MB; split it.")
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = answer
        self._outbox.put_nowait(frame)
        return answer

    def _leave(self, request: Request, answer: asyncio.Future[Done]) -> None:
        """Whoever waited has the answer, or does not want it any more: then the service is told."""
        if self._waiting.pop(request.id, None) is not None:
            self._outbox.put_nowait(CancelRequest(id=request.id).model_dump_json())
        if answer.done() and not answer.cancelled():
            answer.exception()  # looked at, so that nothing is logged about an error that nobody waits for

    def stop(self) -> None:
        """Begin to close, without waiting for it."""
        self._keeper.cancel()

    async def close(self) -> None:
        self.stop()
        with suppress(asyncio.CancelledError):
            await self._keeper

    async def _keep_open(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            opened = clock()
            try:
                # Vectors do not compress; a proxy of the environment is not for a service of our own.
                async with connect(
                    self.url, compression=None, proxy=None, max_size=2 * MAX_FRAME_BYTES, open_timeout=5,
                    close_timeout=1,
                ) as socket:
                    opened = clock()
                    self.connected = True
                    self._on_change()
                    await self._talk(socket)
            except (OSError, TimeoutError, WebSocketException, ValidationError) as problem:
                log.debug("model service at %s: %s", self.url, problem)
            finally:
                self._break()
            pause = FIRST_PAUSE_SECONDS if clock() - opened > STEADY_SECONDS else pause
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _break(self) -> None:
        """Give every waiting request back to its sender; frames not yet sent belong to them too."""
        self.connected = False
        self._outbox = asyncio.Queue()
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(LinkBroke(self.url))
        self._on_change()

    async def _talk(self, socket: ClientConnection) -> None:
        sender = asyncio.create_task(self._send(socket, self._outbox))
        try:
            async for frame in socket:
                self._receive(frame)
        finally:
            sender.cancel()

    @staticmethod
    async def _send(socket: ClientConnection, outbox: asyncio.Queue[str]) -> None:
        # A broken socket ends the reading side as well, which is where it is dealt with.
        with suppress(WebSocketException, OSError):
            while True:
                await socket.send(await outbox.get())

    def _receive(self, frame: str | bytes) -> None:
        event = parse_event.validate_json(frame)
        if isinstance(event, StartEvent):
            return
        if event.id == UNKNOWN_ID:
            log.error("model service at %s could not read a frame: %s", self.url, event)
        if isinstance(event, GenerateDelta):
            if arriving := self._arriving.get(event.id):
                arriving.add(event.text)
            return
        answer = self._waiting.pop(event.id, None)
        if answer is None or answer.done():
            return
        if isinstance(event, ErrorEvent):
            answer.set_exception(ModelsError.of(event))
        else:
            answer.set_result(event)
