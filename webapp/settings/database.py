"""SQLite in the data folder, in the mode that lets readers and one writer work side by side; or PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from webapp.settings.places import DATA
from webapp.settings.table import SettingError, read

BUSY_TIMEOUT_SECONDS = 20


def database(url: str, data: Path) -> dict[str, Any]:
    """Django's description of the database at `url`, or of SQLite in `data` when it is empty."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data / "wenda.sqlite3",
            "OPTIONS": {
                "timeout": BUSY_TIMEOUT_SECONDS,
                # A transaction that turns from reader to writer half way cannot wait for the lock: it fails at once.
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
            },
            # A file, which threads share as they do in the site; one for each test run.
            "TEST": {"NAME": data / f"test-{os.getpid()}.sqlite3"},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise SettingError("DATABASE_URL must be postgresql://user:password@host:5432/name, or empty for SQLite.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": database(read("DATABASE_URL"), DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
