from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine is no reason to fail. CI tries the same examples each time; new ones are looked for at home.
hypothesis_settings.register_profile(
    "qa", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis_settings.load_profile("qa")

HUNG_AFTER_SECONDS = 60


@pytest.fixture
def hang_guard() -> Iterator[None]:
    """Ends a test that reads its text again and again: what takes a second would take hours."""

    def give_up(_signal, _frame):
        raise TimeoutError(f"not done after {HUNG_AFTER_SECONDS} seconds: not linear in the text's length")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HUNG_AFTER_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
