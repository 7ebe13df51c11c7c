"""Which versions of models the running model services serve, asked of the services; and changing that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings

from models_service.registry import versions_in
from models_service.versions import Live, Versions
from webapp.settings.places import models_folder
from webapp.settings.table import PROJECT

SWAP_SECONDS = 300
"""A large model takes its time to load beside the one that serves."""
LOOK_SECONDS = 0.2


class NotServed(Exception):
    """The version that was chosen does not serve, and the choice was taken back; the sentence says why."""


@dataclass(frozen=True)
class Served:
    """What a promotion or rollback came to. `running` is whether a model service has the model in its memory."""

    name: str
    kind: str | None
    current: str
    previous: str | None
    before: str | None
    running: bool


def promote(name: str, version: str) -> Served:
    """Serve this version from now on. Raises ModelMissing, ModelUnusable, NotServed."""
    versions = versions_in(models_folder(settings.DATA_DIR))
    before = versions.live(name)
    return _serve(versions, name, before, versions.promote(name, version))


def rollback(name: str) -> Served:
    """Serve the version before again. Raises ModelMissing, ModelUnusable, NotServed."""
    versions = versions_in(models_folder(settings.DATA_DIR))
    before = versions.live(name)
    return _serve(versions, name, before, versions.rollback(name))


def _serve(versions: Versions, name: str, before: Live, live: Live) -> Served:
    """Make sure that the version that was just chosen serves; otherwise take the choice back and say why."""
    running = are_loaded(name)
    problem = (wait_until_served(name, live.current, live.changes, lambda: versions.live(name) != live) if running
               else _try(versions.folder, name, live.current))
    if problem:
        versions.take_back(name, live, before)
        stays = f"{name} stays at version {before.current}." if before.current else f"{name} is not served."
        raise NotServed(f"{problem[:1].upper()}{problem[1:]}\n{stays}")
    return Served(name, versions.kind(name), live.current, live.previous, before.current, running)


def _try(folder: Path, name: str, version: str) -> str:
    """Where no service has the model: bring it up in a process of its own, as a service will; "" or why it fails."""
    command = [sys.executable, "-m", "models_service.trial", f"{name}@{version}", "--models", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, timeout=SWAP_SECONDS,
                              env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})  # waiting takes no time from others
    except subprocess.TimeoutExpired:
        return f"Version {version} did not come up within {SWAP_SECONDS} seconds. Try again when less is going on."
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()
    return f"Version {version} does not serve: {said[-1] if said else f'exit status {done.returncode}'}"


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


def wait_until_served(
    name: str, version: str, changes: int, is_overtaken: Callable[[], bool] = lambda: False
) -> str:
    """Wait until every service that has the model serves this version; "" or why one does not.

    Args:
        changes: the registry's count when the version was chosen; what a service said before it saw that is of old.
        is_overtaken: whether another version was chosen meanwhile, so that this one need not be waited for.
    """
    end = time.monotonic() + SWAP_SECONDS
    while time.monotonic() < end:
        if is_overtaken():
            return f"someone else put another version of {name} into use meanwhile."
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
