"""Keeps a handful of processes running: starts them in order, restarts one that dies, stops them all together.

Knows nothing of what the processes are, and needs no Django. Works from the main thread only: the kernel ties a
child's life (PR_SET_PDEATHSIG) to the thread that started it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.1
STEADY_SECONDS = 60.0
"""A process that has lived this long is forgiven its earlier deaths."""
LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 8.0
LARGEST_LOG_BYTES = 10_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class CannotStart(Exception):
    """A process did not become ready; the sentence says which and shows its last lines."""


@dataclass(frozen=True)
class Part:
    """One process. `ready` is asked often, with the process's id, and says whether it does its work by now."""

    name: str
    command: Sequence[str]
    ready: Callable[[int], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 120.0


class Kept:
    """A part as it runs: its process, its log file and its record of deaths."""

    def __init__(self, part: Part, data: Path, verbose: bool) -> None:
        self.part = part
        self.last_lines: deque[str] = deque(maxlen=8)
        self._pid_file = data / "run" / f"{part.name}.pid"
        self._log_file = data / "log" / f"{part.name}.log"
        self._verbose = verbose
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self.started_at = 0.0
        self.start_again_at: float | None = None

    def start(self) -> None:
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self.start_again_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            list(self.part.command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **self.part.environment}, start_new_session=True, preexec_fn=_die_with_parent,
        )
        self._pid_file.write_text(str(self.process.pid))
        threading.Thread(target=self._keep_output, args=(self.process,), daemon=True).start()

    def _keep_output(self, process: subprocess.Popen[bytes]) -> None:
        """Copy the process's lines to its log file, which is begun anew when it has grown large."""
        if self._log_file.exists() and self._log_file.stat().st_size > LARGEST_LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        with self._log_file.open("ab", buffering=0) as log:
            for line in process.stdout:
                # A full disk must not stop the reading: a process whose output nobody takes comes to a halt.
                with suppress(OSError):
                    log.write(line)
                text = line.decode("utf-8", "replace").rstrip()
                self.last_lines.append(text)
                if self._verbose:
                    print(f"{self.part.name:<7}| {text}", flush=True)

    def is_ready(self) -> bool:
        return self.process is not None and self.process.poll() is None and self.part.ready(self.process.pid)

    def pause_before_restart(self) -> float:
        """Seconds: half of one after the first death, doubled with each that follows soon."""
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.deaths = 0
        self.deaths += 1
        return min(0.5 * 2 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)

    def signal(self, number: int) -> None:
        """Signal the process and whatever it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def forget(self) -> None:
        self._pid_file.unlink(missing_ok=True)


class Supervisor:
    def __init__(self, data: Path, say: Callable[[str], None], *, verbose: bool = False) -> None:
        """`data` is the folder for logs (log/NAME.log) and process ids (run/NAME.pid); `say` shows a line."""
        self._data = data
        self._say = say
        self._verbose = verbose
        self._kept: list[Kept] = []
        self._stop = threading.Event()

    def stop_on_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop.set())

    def request_stop(self) -> None:
        self._stop.set()

    def start(self, *parts: Part) -> None:
        """Start these side by side and wait until each is ready; CannotStart when one dies or takes too long."""
        for kept in [self.add(part) for part in parts]:
            end = time.monotonic() + kept.part.start_seconds
            while not kept.is_ready():
                if self._stop.is_set():
                    return
                status = kept.process.poll()
                if status is not None or time.monotonic() > end:
                    why = "takes too long to start" if status is None else f"ended at once ({_ending(status)})"
                    time.sleep(LOOK_SECONDS)  # its last lines are still on their way
                    lines = "\n  ".join(["", *kept.last_lines])
                    log = self._data / "log" / f"{kept.part.name}.log"
                    raise CannotStart(f"The {kept.part.name} process {why}. Its log is {log}; it ends with:{lines}")
                self._stop.wait(LOOK_SECONDS)

    def add(self, part: Part) -> Kept:
        """Start it without waiting until it is ready; from now on it is kept like the others."""
        kept = Kept(part, self._data, self._verbose)
        self._kept.append(kept)
        kept.start()
        return kept

    def keep(self) -> None:
        """Restart what dies, until a stop is asked for."""
        while not self._stop.wait(LOOK_SECONDS):
            for kept in self._kept:
                self._look_after(kept)

    def _look_after(self, kept: Kept) -> None:
        now = time.monotonic()
        if kept.start_again_at is not None:
            if now >= kept.start_again_at:
                kept.start()
            return
        status = kept.process.poll()
        if status is None:
            return
        kept.signal(signal.SIGKILL)  # what it had started itself
        pause = kept.pause_before_restart()
        kept.start_again_at = now + pause
        self._say(f"The {kept.part.name} process died ({_ending(status)}); it is started again in {pause:g} s. "
                  f"Its log: {self._data / 'log' / kept.part.name}.log")

    def stop(self) -> None:
        """Stop all, the last started first; whoever does not end in time is killed."""
        for kept in reversed(self._kept):
            kept.signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                kept.process.wait(STOP_SECONDS)
            kept.signal(signal.SIGKILL)
            kept.process.wait()
            kept.forget()


def _die_with_parent() -> None:
    """In the child, before it becomes the program: the kernel kills it when its parent is gone, even by kill -9."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
