"""kill -9 amid an import: nothing goes on behind it, the graph is as before, and the next import brings it in."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from qa.graph import GraphStore
from tests.knowledge.conftest import until

PROJECT = Path(__file__).parents[2]
MANY = 100_000


@pytest.mark.slow
def test_an_import_that_is_killed_dies_whole_and_is_done_by_the_next(tmp_path):
    data, file = tmp_path / "site", tmp_path / "many.nt"
    file.write_text("\n".join(f'<http://e/{n}> <http://e/b> "{n}" .' for n in range(MANY)))
    command = [sys.executable, str(PROJECT / "manage.py"), "graph", "import", str(file), "--json"]
    environment = {**os.environ, "WENDA_DATA_DIR": str(data), "REDIS_URL": f"unix://{tmp_path}/nowhere.sock"}

    def has_begun() -> list[psutil.Process]:
        if not (data / "wenda.sqlite3").exists():
            return []
        with closing(sqlite3.connect(data / "wenda.sqlite3", timeout=20)) as database:
            tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'graph_graphsource'").fetchone()
            begun = tables and database.execute("SELECT 1 FROM graph_graphsource WHERE triples > 0").fetchone()
        return psutil.Process(first.pid).children() if begun else []

    first = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    try:
        (child,) = until(has_begun, 180)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    store = GraphStore(data / "graph")
    assert store.open() is None
    done = subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, check=True, timeout=120)
    (source,) = json.loads(done.stdout)["sources"]
    assert (source["status"], source["triples"]) == ("ready", MANY)
    assert source["remark"] == "was there already" and store.counts().triples == MANY
    assert not list((data / "graph" / "generations").glob(".*"))
