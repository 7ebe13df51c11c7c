"""What a reranker is given. Apart from the engine, so that naming it imports no model library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """How well does `passage` answer `query`?"""

    query: str
    passage: str
