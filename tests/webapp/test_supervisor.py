"""The supervisor, with tiny real processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from webapp.ops import preflight
from webapp.ops.supervisor import CannotStart, Part, Supervisor

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for what another process does; fail when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pid_of(data: Path, name: str) -> int:
    file = data / "run" / f"{name}.pid"
    return int(file.read_text() or 0) if file.exists() else 0


def test_a_process_killed_by_kill_9_is_started_again_and_said_to_be(tmp_path):
    lines: list[str] = []
    supervisor = Supervisor(tmp_path, lines.append)
    supervisor.start(Part("worker", SLEEPER, ready=alive))
    first = pid_of(tmp_path, "worker")
    keeper = threading.Timer(0.2, os.kill, (first, signal.SIGKILL))
    watcher = threading.Thread(
        target=lambda: (until(lambda: pid_of(tmp_path, "worker") not in (0, first)), supervisor.request_stop())
    )
    keeper.start(), watcher.start()
    supervisor.keep()
    second = pid_of(tmp_path, "worker")
    supervisor.stop()
    assert second != first
    assert "worker process died (signal SIGKILL)" in lines[0]
    assert not alive(second)


def test_a_process_that_is_not_waited_for_is_kept_and_stopped_like_the_others(tmp_path):
    supervisor = Supervisor(tmp_path, print)
    supervisor.add(Part("trainer", SLEEPER, ready=lambda pid: False))
    first = pid_of(tmp_path, "trainer")
    os.kill(first, signal.SIGKILL)
    watcher = threading.Thread(
        target=lambda: (until(lambda: pid_of(tmp_path, "trainer") not in (0, first)), supervisor.request_stop())
    )
    watcher.start()
    supervisor.keep()
    second = pid_of(tmp_path, "trainer")
    supervisor.stop()
    assert second not in (0, first) and not alive(second)


def test_each_death_that_follows_soon_doubles_the_pause(tmp_path):
    supervisor = Supervisor(tmp_path, print)
    supervisor.start(Part("worker", SLEEPER, ready=alive))
    kept = supervisor._kept[0]
    assert [kept.pause_before_restart() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    supervisor.stop()


def test_a_process_that_ends_at_once_is_named_with_its_last_lines(tmp_path):
    supervisor = Supervisor(tmp_path, print)
    code = "print('no such model'); raise SystemExit(3)"
    broken = Part("models", [sys.executable, "-c", code], ready=lambda pid: False)
    with pytest.raises(CannotStart, match="models process ended at once \\(exit status 3\\)(.|\\n)*no such model"):
        supervisor.start(broken)
    supervisor.stop()


def test_stopping_also_ends_what_the_processes_started_and_what_ignores_sigterm(tmp_path, monkeypatch):
    monkeypatch.setattr("webapp.ops.supervisor.STOP_SECONDS", 0.5)
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    supervisor = Supervisor(tmp_path, print)
    child_file = tmp_path / "child"
    supervisor.start(Part("worker", [sys.executable, "-c", code], ready=alive))
    until(lambda: child_file.exists() and child_file.read_text() != "")
    parent, child = pid_of(tmp_path, "worker"), int(child_file.read_text())
    supervisor.stop()
    until(lambda: not alive(parent) and not alive(child))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind_however_the_supervisor_ends(tmp_path, number):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from webapp.ops.supervisor import Part, Supervisor\n"
        f"supervisor = Supervisor(Path({str(tmp_path)!r}), print)\n"
        "supervisor.stop_on_signals()\n"
        f"supervisor.start(Part('worker', {SLEEPER!r}, ready=lambda pid: True))\n"
        "print('ready', flush=True)\n"
        "supervisor.keep()\n"
        "supervisor.stop()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdout.readline() == b"ready\n"
    child = pid_of(tmp_path, "worker")
    assert alive(child)
    process.send_signal(number)
    process.wait(15)
    until(lambda: not alive(child))


def test_a_taken_port_is_named_with_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} is taken" in preflight.problems("127.0.0.1", port, tmp_path)[0]


def test_a_full_disk_and_a_missing_package_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "LEAST_FREE_BYTES", 10**18)
    monkeypatch.setattr(preflight, "PACKAGES", ("celery", "no_such_package_here"))
    missing, disk = preflight.problems("127.0.0.1", preflight.free_port(), tmp_path)
    assert "no_such_package_here" in missing and "pip install" in missing
    assert "make room" in disk
