"""The processes that the site consists of, as the supervisor runs them."""

from __future__ import annotations

import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

from webapp.ops import embedded_redis, worker_pulse
from webapp.ops.preflight import free_port
from webapp.ops.supervisor import Part
from webapp.settings.places import models_folder, models_service_address_file
from webapp.settings.queues import TRAINING_QUEUE
from webapp.settings.table import read

LARGEST_SOCKET_FRAME = 4 * 1024 * 1024
"""Bytes. Larger ones close the socket; those between this and the contract's limit get a kinder answer."""


def redis(data: Path, url: str) -> Part:
    return Part("redis", embedded_redis.command(data), ready=lambda pid: embedded_redis.answers(url))


def model_service(data: Path) -> Part:
    """Listens on a free loopback port, which it keeps over restarts; clients find its address in a file."""
    port = free_port()
    file = models_service_address_file(data)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"ws://127.0.0.1:{port}/ws")
    command = [sys.executable, "-m", "models_service", "--host", "127.0.0.1", "--port", str(port),
               "--models", str(models_folder(data))]
    return Part("models", command, ready=lambda pid: _answers(f"http://127.0.0.1:{port}/readyz"))


def worker(redis_url: str) -> Part:
    return Part("worker", _celery("celery"), ready=lambda pid: worker_pulse.beats(redis_url, pid))


def trainer(redis_url: str) -> Part:
    """A worker of its own for what takes hours, so that it never keeps a document from being read in."""
    return Part("trainer", _celery(TRAINING_QUEUE),
                ready=lambda pid: worker_pulse.beats(redis_url, pid, worker_pulse.TRAINER))


def _celery(queue: str) -> list[str]:
    # One process, no pool of children: one job at a time, and nothing is left over when it is killed.
    return [sys.executable, "-m", "celery", "-A", "webapp.celery", "worker", "--pool", "solo", "--queues", queue,
            "--hostname", f"{queue}@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]


def web(host: str, port: int) -> Part:
    command = [sys.executable, "-m", "uvicorn", "webapp.asgi:application", "--host", host, "--port", str(port),
               "--ws-max-size", str(LARGEST_SOCKET_FRAME), "--timeout-graceful-shutdown", "3", "--lifespan", "off",
               "--no-access-log", "--log-level", "warning", "--forwarded-allow-ips", ",".join(read("WENDA_PROXIES"))]
    address = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    return Part("web", command, ready=lambda pid: _answers(f"http://{address}:{port}/healthz"))


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as response:
        return response.status == 200
    return False
