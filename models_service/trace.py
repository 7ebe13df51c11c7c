"""Which request of the site work is done for: its id goes with every request to a model, and both sides log it."""

from __future__ import annotations

from contextvars import ContextVar

NONE = "-"
current: ContextVar[str] = ContextVar("trace", default=NONE)
