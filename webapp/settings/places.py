"""Where things lie in the data folder, and how the parts on this machine find each other.

Computed from the data folder alone, so that every process comes to the same answer without being told.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from webapp.settings.table import SettingError, read


def data_folder() -> Path:
    """The data folder, made when it is missing; SettingError when nothing can be written there."""
    folder = read("WENDA_DATA_DIR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"WENDA_DATA_DIR is {folder}, which cannot be made ({error.strerror}).") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingError(f"WENDA_DATA_DIR is {folder}, where this user may not write.")
    return folder


DATA = data_folder()
LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel allows 107, and Redis appends nothing to it."""


def redis_socket(data: Path = DATA) -> Path:
    """The embedded Redis's socket: in the data folder, or in a short private folder where that path is too long."""
    path = data / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"wenda-{os.getuid()}-{digest}" / "redis.sock"


def models_service_address_file(data: Path = DATA) -> Path:
    """Where `manage.py up` writes the address of the model service that it started."""
    return data / "run" / "models.url"


def models_folder(data: Path = DATA) -> Path:
    """Where the registered versions of models lie."""
    return data / "models"


def redis_url(data: Path = DATA) -> str:
    return read("REDIS_URL") or f"unix://{redis_socket(data)}"


def models_service_urls(data: Path = DATA) -> list[str]:
    """The configured addresses, or the one of the service that is running here; none when there is none."""
    configured = read("MODELS_SERVICE_URLS")
    if configured:
        return configured
    file = models_service_address_file(data)
    return [file.read_text().strip()] if file.exists() else []


def graph_folder(data: Path = DATA) -> Path:
    """Where the knowledge graph lies; the folder need not exist."""
    return data / "graph"
