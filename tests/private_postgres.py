"""A PostgreSQL server of the test run's own: a new cluster in a temporary folder, on a free port of loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SERVER_USER = "postgres"
"""Whom the server runs as where the tests run as root: it refuses to be root."""
FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; None where there is no PostgreSQL server."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: each.parent.name, reverse=True)
    return next((each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


def why_not() -> str:
    """Why no server can be started here; "" when it can."""
    if programs() is None:
        return "no PostgreSQL server here; on Debian: apt-get install postgresql"
    if os.getuid() == 0:
        with suppress(KeyError):
            pwd.getpwnam(SERVER_USER)
            return ""
        return f"PostgreSQL does not run as root, and there is no user {SERVER_USER} here"
    return ""


@contextmanager
def private_postgres() -> Iterator[str]:
    """Its DATABASE_URL, while the block lasts; the cluster is gone afterwards."""
    from webapp.ops.preflight import free_port

    folder, port = Path(tempfile.mkdtemp(prefix="wenda-postgres-")), free_port()
    if os.getuid() == 0:
        shutil.chown(folder, SERVER_USER)
    cluster, log = folder / "cluster", folder / "log"
    try:
        _run("initdb", "--pgdata", str(cluster), "--username", "wenda", "--auth", "trust", "--encoding", "UTF8",
             "--no-locale", "--no-sync")
        options = " ".join(["-h 127.0.0.1", f"-p {port}", f"-k {folder}", *FAST])
        _run("pg_ctl", "start", "--wait", "--pgdata", str(cluster), "--log", str(log), "--options", options)
        try:
            yield f"postgresql://wenda@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "stop", "--mode", "immediate", "--pgdata", str(cluster))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    """Its output goes nowhere: the server inherits it, and a pipe would stay open as long as it runs."""
    folder = programs()
    assert folder is not None
    as_server = {"user": SERVER_USER, "group": pwd.getpwnam(SERVER_USER).pw_gid, "extra_groups": []} \
        if os.getuid() == 0 else {}
    done = subprocess.run([str(folder / program), *arguments], cwd="/", stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False, timeout=60, **as_server)
    assert done.returncode == 0, f"{program} failed with exit status {done.returncode}"
