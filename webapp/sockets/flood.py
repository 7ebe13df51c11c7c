"""How many frames a socket may send: a burst, and then so many a second."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 30
A_SECOND = 5.0
MOST_REFUSED = 200
"""A socket that goes on sending this many more without a pause is closed."""


class Allowance:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left = float(BURST)
        self._at = now()
        self._refused = 0

    def spend(self) -> bool:
        """Whether one more frame may be handled."""
        now = self._now()
        self._left = min(BURST, self._left + (now - self._at) * A_SECOND)
        self._at = now
        if self._left < 1:
            self._refused += 1
            return False
        self._left -= 1
        if self._left >= BURST / 2:
            self._refused = 0
        return True

    @property
    def is_first_refusal(self) -> bool:
        """One reply for many refused frames, so that a flood is not answered by a flood."""
        return self._refused == 1

    @property
    def is_abused(self) -> bool:
        return self._refused > MOST_REFUSED
