"""Which versions of models the running model services serve, asked of the services themselves."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings

SWAP_SECONDS = 300
"""A large model takes its time to load beside the one that serves."""
LOOK_SECONDS = 0.2


def states() -> list[dict[str, Any]]:
    """What each service that answers says of its models."""
    told = []
    for url in settings.MODELS_SERVICE_URLS:
        address = "http" + url.removeprefix("ws").rsplit("/", 1)[0] + "/readyz"
        with suppress(OSError, ValueError):
            try:
                with urlopen(address, timeout=2) as response:
                    told.append(json.load(response))
            except HTTPError as unready:
                told.append(json.load(unready))
    return told


def are_loaded(name: str) -> bool:
    """Whether any service has this model in its memory, and so follows what is promoted."""
    return any(name in state.get("versions", {}) for state in states())


def wait_until_served(name: str, version: str, changes: int) -> str:
    """Wait until every service that has the model serves this version; "" or why one does not.

    Args:
        changes: the registry's count when the version was chosen; what a service said before it saw that is of old.
    """
    end = time.monotonic() + SWAP_SECONDS
    while time.monotonic() < end:
        having = [state for state in states() if name in state.get("versions", {})]
        aware = [state for state in having if state["followed"][name] >= changes]
        refused = [state["refused"][name] for state in aware if name in state["refused"]]
        if refused:
            return refused[0]
        serving = [state for state in aware
                   if state["versions"][name] == version and state["models"].get(name) == "ready"]
        if len(serving) == len(having):
            return ""
        time.sleep(LOOK_SECONDS)
    return f"the model service did not serve it within {SWAP_SECONDS} seconds; its log says more"
