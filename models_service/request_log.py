"""One line for each request that was answered: key=value pairs, or fields of JSON. Never a text, never a key."""

from __future__ import annotations

import json
import logging
import re

from models_service.protocol_base import Event, Request

log = logging.getLogger("models_service.requests")
_PLAIN = re.compile(r"[\w.:@/+-]+")
TIMES = ("queue_ms", "compute_ms", "first_token_ms", "batch_size")
"""Of an answer's timings, where it has them."""


def write(request: Request, event: Event, outcome: str, seconds: float) -> None:
    """`event` is the last one; `seconds` from the request's arrival on."""
    told = {
        "type": getattr(request, "type", "?"), "outcome": outcome, "trace": request.trace, "client": request.client,
        "model": getattr(event, "model", request.model), "version": getattr(event, "version", None),
        "total_ms": round(1000 * seconds, 1),
    }
    timings = getattr(event, "timings", None)
    told |= {name: getattr(timings, name, None) for name in TIMES}
    told = {name: value for name, value in told.items() if value not in (None, "")}
    log.info("%s", " ".join(f"{name}={_value(value)}" for name, value in told.items()),
             extra={"request_id": request.trace, "fields": told})


def _value(value: object) -> str:
    """Quoted where it is no plain word, for it may come from a client: one request, one line."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
