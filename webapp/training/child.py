"""The child process that does a job's work: started, followed, stopped. It never outlives this process.

It leads a process group of its own, so that whatever it starts goes with it, and the kernel kills it when this
process is gone, even by kill -9. It runs at low priority: answering people comes first.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from webapp.settings.table import PROJECT

PR_SET_PDEATHSIG = 1
NICE = 5
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1",
    # Threads that wait for each other sleep instead of spinning: what answers people needs the cores more.
    "OMP_WAIT_POLICY": "PASSIVE",
}
OUTPUT_FILE = "output.txt"
TAIL_BYTES = 8000
TAIL_LINES = 20
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        """Start it. To be called from the main thread: the kernel ties the child's life to the thread."""
        self._output = folder / OUTPUT_FILE
        parent = os.getpid()

        def prepare() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # the parent died before the line above
                os._exit(1)
            os.nice(NICE)

        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=PROJECT,
                env={**environment, **ENVIRONMENT}, start_new_session=True, preexec_fn=prepare,
            )

    def has_ended(self, wait: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(wait)
        return self.process.returncode is not None

    @property
    def status(self) -> int:
        """Its exit status; a signal's number below zero when that ended it."""
        return self.process.returncode

    def ask_to_stop(self) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """The child and all that it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_lines(self) -> str:
        """What it printed last."""
        try:
            with self._output.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-TAIL_LINES:])
