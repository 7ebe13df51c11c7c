"""`manage.py up`: start the whole site on this machine and keep it running until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from webapp.ops import embedded_redis, encryption, parts, preflight
from webapp.ops.preparing import prepare
from webapp.ops.supervisor import CannotStart, Supervisor
from webapp.settings.table import read

PREFLIGHT_FAILED = 2


class Command(BaseCommand):
    help = "Start the site: Redis, model service, worker and web server. Ctrl-C stops them all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=read("WENDA_HOST"), help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=read("WENDA_PORT"), help="port to listen on (%(default)s)")
        parser.add_argument("--verbose", action="store_true", help="show every process's output, not only log it")

    def handle(self, *, host: str, port: int, verbose: bool, **options: Any) -> None:
        begun = time.monotonic()
        data: Path = settings.DATA_DIR
        if (host, port) != (read("WENDA_HOST"), read("WENDA_PORT")):
            # Whether guests are let in follows from the host, so this process and its children must agree on it.
            os.environ.update(WENDA_HOST=host, WENDA_PORT=str(port))
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
        with _only_one(data, f"http://{host}:{port}"):
            found = preflight.problems(host, port, data)
            if found:
                raise CommandError("\n".join(found), returncode=PREFLIGHT_FAILED)
            self._run(host, port, data, verbose, begun)

    def _run(self, host: str, port: int, data: Path, verbose: bool, begun: float) -> None:
        supervisor = Supervisor(data, self._say, verbose=verbose)
        supervisor.stop_on_signals()
        try:
            if not read("REDIS_URL"):
                supervisor.start(parts.redis(data, settings.REDIS_URL))
            elif not embedded_redis.answers(settings.REDIS_URL):
                raise CommandError(f"REDIS_URL is {settings.REDIS_URL}, where no Redis answers.", returncode=1)
            token = prepare()
            connection.close()
            own_models = [] if read("MODELS_SERVICE_URLS") else [parts.model_service(data)]
            supervisor.start(*own_models, parts.worker(settings.REDIS_URL), parts.web(host, port))
            shown = {"0.0.0.0": "localhost", "::": "localhost", "::1": "[::1]"}.get(host, host)
            address = f"http://{shown}:{port}"
            self._say(f"Wenda is at {address}/ (started in {time.monotonic() - begun:.1f} s; Ctrl-C stops it)")
            if (sealed := encryption.state()) != "ok":
                self._say(sealed)
            if token:
                self._say(f"Make the first administrator account, once, at {address}/setup/{token}/")
            supervisor.add(parts.trainer(settings.REDIS_URL))  # people need not wait for this one
            supervisor.keep()
            self._say("Stopping.")
        except CannotStart as error:
            raise CommandError(str(error), returncode=1) from None
        finally:
            supervisor.stop()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _only_one(data: Path, address: str) -> Iterator[None]:
    """Hold the data folder for this process; the kernel lets go of it however the process ends."""
    file = data / "run" / "up.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Wenda already runs from {data}: {lock.read().strip()}. Stop it first, or set WENDA_DATA_DIR.",
                returncode=PREFLIGHT_FAILED,
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} at {address}")
        lock.flush()
        yield
