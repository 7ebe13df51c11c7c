"""Keys as they stand in the environment."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable

import pytest


def fresh_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`use_keys(*keys)`: from now on these are in the environment, the first one writes."""

    def use_keys(*keys: str) -> None:
        monkeypatch.setenv("WENDA_ENCRYPTION_KEY", ",".join(keys))

    return use_keys
