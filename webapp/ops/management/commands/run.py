"""`manage.py run PART`: one process of the site, where each is started by itself: by systemd, in a container."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webapp.ops import parts
from webapp.ops.command_line import wrong_use
from webapp.settings.places import models_folder
from webapp.settings.table import check_all, read

MODELS_PORT = 9000
PARTS = ("web", "worker", "trainer", "models")


class Command(BaseCommand):
    help = "Run one process of the site in the foreground; `manage.py up` runs them all together on one machine."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", choices=PARTS)
        parser.add_argument("--host", default=read("WENDA_HOST"), help="address that web or models listens on")
        parser.add_argument("--port", type=int, help=f"port of web ({read('WENDA_PORT')}) or models ({MODELS_PORT})")

    def handle(self, *, part: str, host: str, port: int | None, **options: Any) -> None:
        if problems := check_all():
            raise wrong_use("\n".join(problems))
        command = _command(part, host, port, settings.DATA_DIR)
        if part == "web":  # whether guests are let in follows from the host
            os.environ["WENDA_HOST"] = host
        sys.stdout.flush()
        os.execv(command[0], command)  # the process itself gets the signals


def _command(part: str, host: str, port: int | None, data: Path) -> list[str]:
    if part == "web":
        return list(parts.web(host, port or read("WENDA_PORT")).command)
    if part == "models":
        return [sys.executable, "-m", "models_service", "--host", host, "--port", str(port or MODELS_PORT),
                "--models", str(models_folder(data))]
    return list({"worker": parts.worker, "trainer": parts.trainer}[part](settings.REDIS_URL).command)
