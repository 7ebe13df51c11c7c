"""The site's ASGI application behind a real HTTP server on a thread of this process, for clients that speak HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


@contextmanager
def live_site() -> Iterator[str]:
    """Its address. It sees the test's database and settings."""
    from webapp.asgi import application

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(
        application, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=3,
    ))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        listening.close()
