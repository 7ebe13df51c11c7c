"""The database as one file, consistent while the site writes to it, and back: SQLite's online backup, or pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from webapp.errors import Conflict

SQLITE, POSTGRESQL = "sqlite", "postgresql"
FILE_NAMES = {SQLITE: "wenda.sqlite3", POSTGRESQL: "wenda.pgdump"}


def vendor() -> str:
    """Which of the two this site uses."""
    return connection.vendor


def copy_to(file: Path) -> None:
    """The database as it is now. Raises Conflict when it cannot be had."""
    if vendor() == POSTGRESQL:
        _run_postgres_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
        return
    source = f"{Path(connection.settings_dict['NAME']).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(source, uri=True, timeout=60)) as site, closing(sqlite3.connect(file)) as copy:
        site.backup(copy)  # in one step: one read transaction, which holds no writer up
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
    if found != "ok":
        raise Conflict(f"The database is damaged, so a backup of it would be of no use: {found}")


def is_empty() -> bool:
    """Whether nothing is in a PostgreSQL database; SQLite's is a file of the data folder."""
    return vendor() == SQLITE or not connection.introspection.table_names()


def restore_from(file: Path) -> None:
    """Put the database back. Raises Conflict when it cannot be."""
    connection.close()
    if vendor() == POSTGRESQL:
        _run_postgres_tool("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
                           f"--dbname={connection.settings_dict['NAME']}", str(file), names_database=True)
        return
    file.replace(connection.settings_dict["NAME"])


def applied_migrations() -> list[str]:
    """`app.name` of each that the database has."""
    return sorted(f"{app}.{name}" for app, name in MigrationLoader(connection).applied_migrations)


def known_migrations() -> set[str]:
    """`app.name` of each that this version of the site has, those that were squashed among them."""
    loader = MigrationLoader(None)
    replaced = {pair for migration in loader.disk_migrations.values() for pair in migration.replaces}
    return {f"{app}.{name}" for app, name in {*loader.disk_migrations, *replaced}}


def _run_postgres_tool(name: str, *arguments: str, names_database: bool = False) -> None:
    """The password goes by the environment: what stands on a command line, everyone on the machine can read."""
    if shutil.which(name) is None:
        raise Conflict(f"The database is PostgreSQL, and the program {name} is not here. Install PostgreSQL's client "
                       "programs, of the server's version or newer.")
    values = connection.settings_dict
    environment = {"PGHOST": values["HOST"], "PGPORT": str(values["PORT"]), "PGUSER": values["USER"],
                   "PGPASSWORD": values["PASSWORD"]}
    if not names_database:
        environment["PGDATABASE"] = values["NAME"]
    command: Sequence[str] = (name, "--no-password", *arguments)
    done = subprocess.run(command, env={**os.environ, **{key: value for key, value in environment.items() if value}},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Conflict(f"{name} failed: {done.stderr.strip()[-1000:]}")
