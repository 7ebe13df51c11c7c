"""The model service's ASGI app: requests over WebSocket, many at once on each; health and figures over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from models_service import metrics, recent, request_log, trace
from models_service.engines.generating import Generator
from models_service.errors import ModelsError
from models_service.protocol import (
    MAX_FRAME_BYTES,
    UNKNOWN_ID,
    CancelRequest,
    Event,
    GenerateDelta,
    GenerateDone,
    GenerateRequest,
    Request,
    StartEvent,
    parse_request,
)
from models_service.registry import Registry
from models_service.service import Service
from models_service.standing import standing

MAX_IN_FLIGHT = 1024
"""Requests on one connection."""
log = logging.getLogger(__name__)


def make_app(
    registry: Registry, generator: Generator | None = None, memory_limit: int | None = None
) -> Starlette:
    service = Service(registry, generator, memory_limit)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        yield
        await service.close()

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        with metrics.CONNECTIONS.track_inprogress():
            await Connection(websocket, service).talk()

    async def healthy(_: HttpRequest) -> Response:
        return JSONResponse({"ok": True})

    async def ready(_: HttpRequest) -> Response:
        is_ready = service.ready()
        told = {"ready": is_ready, "models": service.states(), "versions": service.versions(),
                "refused": service.refused(), "followed": service.followed()}
        return JSONResponse(told, status_code=200 if is_ready else 503)

    async def figures(_: HttpRequest) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def stands(_: HttpRequest) -> Response:
        return JSONResponse(standing(service))

    return Starlette(lifespan=lifespan, routes=[
        WebSocketRoute("/ws", socket),
        Route("/healthz", healthy),
        Route("/readyz", ready),
        Route("/metrics", figures),
        Route("/standing", stands),
    ])


@dataclass(eq=False)
class _Unsent:
    """Text of one answer that waits to be sent. It stands in the outbox once, however much comes to it there.

    So a client that reads slowly gets larger pieces, and holds up neither the generator nor this process's memory.
    """

    id: str
    text: str = ""

    def take(self) -> GenerateDelta:
        text, self.text = self.text, ""
        return GenerateDelta(id=self.id, text=text)


class Connection:
    """One client's socket: reads requests, keeps a task for each, and sends what they give."""

    def __init__(self, websocket: WebSocket, service: Service) -> None:
        self._websocket = websocket
        self._service = service
        self._requests: dict[str, asyncio.Task[None]] = {}
        self._outbox: asyncio.Queue[Event | _Unsent] = asyncio.Queue()

    async def talk(self) -> None:
        """Until the client goes; then its requests go too, for nobody waits for their answers."""
        sender = asyncio.create_task(self._send())
        try:
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    break
                self._receive(frame.get("text") or frame.get("bytes") or "")
        except WebSocketDisconnect:
            pass
        finally:
            tasks = [sender, *self._requests.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        # A closed socket ends the reading side as well, which is where it is dealt with.
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            while True:
                event = await self._outbox.get()
                if isinstance(event, _Unsent):
                    event = event.take()
                await self._websocket.send_text(event.model_dump_json(exclude_none=True))

    def _receive(self, frame: str | bytes) -> None:
        size = len(frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame)
        if size > MAX_FRAME_BYTES:
            return self._refuse(UNKNOWN_ID, "too_large", f"A frame may have {MAX_FRAME_BYTES} bytes.")
        try:
            request = parse_request.validate_json(frame)
        except ValidationError as problem:
            return self._refuse(_id_of(frame), "bad_request", _first_sentence(problem))
        if isinstance(request, CancelRequest):
            if task := self._requests.get(request.id):
                task.cancel()
        elif request.id in self._requests:
            # Answering under the same id would end the first request; the client could not tell the two apart.
            self._refuse(UNKNOWN_ID, "bad_request", f"The id {request.id!r} is in use by an unfinished request.")
        elif len(self._requests) >= MAX_IN_FLIGHT:
            problem = ModelsError("busy", "Too many requests on one connection.", retryable=True, retry_after_ms=500)
            self._outbox.put_nowait(problem.event(request.id))
        else:
            task = self._requests[request.id] = asyncio.create_task(self._answer(request))
            task.add_done_callback(lambda ended: self._see_to_unbegun(request, ended))

    def _see_to_unbegun(self, request: Request, task: asyncio.Task[None]) -> None:
        """A cancel that came in the same moment as its request ended the task before it began: answer it here."""
        if self._requests.get(request.id) is task:  # and not the next one's of this id
            del self._requests[request.id]
            self._end(request, _cancelled(request), "cancelled", 0.0)

    async def _answer(self, request: Request) -> None:
        began = time.monotonic()
        outcome = "done"
        trace.current.set(request.trace)  # of this request's own task: what is logged meanwhile carries it
        try:
            def start() -> None:
                self._outbox.put_nowait(StartEvent(id=request.id))

            event: Event
            if isinstance(request, GenerateRequest):
                event = await self._write(request, start)
            else:
                event = await self._service.answer(request, start)
        except ModelsError as problem:
            outcome, event = problem.code, problem.event(request.id)
        except asyncio.CancelledError:
            outcome, event = "cancelled", _cancelled(request)
        except Exception as problem:
            log.exception("a %s request failed", request.type)
            sentence = f"The model service failed: {type(problem).__name__}."
            outcome, event = "internal", ModelsError("internal", sentence).event(request.id)
        finally:
            self._requests.pop(request.id, None)
        self._end(request, event, outcome, time.monotonic() - began)

    def _end(self, request: Request, event: Event, outcome: str, seconds: float) -> None:
        metrics.REQUESTS.labels(request.type, outcome).inc()
        metrics.SECONDS.labels(request.type).observe(seconds)
        waited = getattr(getattr(event, "timings", None), "queue_ms", None)
        recent.requests.add(request.type, outcome, seconds, waited)
        request_log.write(request, event, outcome, seconds)
        self._outbox.put_nowait(event)

    async def _write(self, request: GenerateRequest, start: Callable[[], None]) -> GenerateDone:
        """Send the text as it comes; its end is returned."""
        unsent = _Unsent(request.id)
        async with aclosing(self._service.generate(request, start)) as pieces:
            async for piece in pieces:
                if isinstance(piece, GenerateDone):
                    return piece
                if not unsent.text:
                    self._outbox.put_nowait(unsent)
                unsent.text += piece
        raise RuntimeError("the text ended without its last event")

    def _refuse(self, request_id: str, code: str, message: str) -> None:
        metrics.REQUESTS.labels("unknown", code).inc()
        self._outbox.put_nowait(ModelsError(code, message).event(request_id))


def _cancelled(request: Request) -> Event:
    return ModelsError("cancelled", "The request was cancelled.").event(request.id)


def _id_of(frame: str | bytes) -> str:
    """The id of a request that is otherwise wrong, so that its sender learns which one it was."""
    with suppress(ValueError, RecursionError):
        values = json.loads(frame)
        if isinstance(values, dict) and isinstance(values.get("id"), str) and 1 <= len(values["id"]) <= 64:
            return values["id"]
    return UNKNOWN_ID


def _first_sentence(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"[:500] if where else first["msg"][:500]
