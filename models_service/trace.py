"""Which request of the site work is done for: its id goes with every request to a model, and both sides log it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass

NONE = "-"
current: ContextVar[str] = ContextVar("trace", default=NONE)
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def acceptable(given: str) -> bool:
    """Whether an id that somebody else chose is a plain word, which may go into logs and messages as it is."""
    return bool(_ACCEPTABLE.fullmatch(given))


@dataclass
class Waited:
    """Milliseconds that requests to the model service waited for their turn there, added up."""

    queue_ms: float = 0.0


waited: ContextVar[Waited | None] = ContextVar("waited", default=None)
"""Of whatever is being measured: the client adds to it what each of its answers says."""
