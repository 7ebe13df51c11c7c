"""What the database keeps is kept as well on PostgreSQL: the tests of the rooms that use it most, run there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.private_postgres import private_postgres, why_not
from webapp.settings.table import PROJECT

FOLDERS = ("accounts", "api", "audit", "chat", "knowledge", "limits", "privacy", "retrieval", "training", "writing")
MOST_SECONDS = 3600


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "can run")
def test_the_rooms_that_use_the_database_most_pass_their_tests_on_postgresql() -> None:
    with private_postgres() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "not (slow or browser or e2e)",
             *(f"tests/{folder}" for folder in FOLDERS)], cwd=PROJECT, env={**os.environ, "DATABASE_URL": url},
            capture_output=True, text=True, timeout=MOST_SECONDS,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
