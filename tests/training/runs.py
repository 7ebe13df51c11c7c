"""Training runs as child processes: started, waited for, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write_spec(folder: Path, task: str, settings: Mapping[str, object], **more: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(json.dumps({"task": task, "settings": settings, **more}))
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "models_service.training", str(folder)], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def wait_until(there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """For as long as the run lives."""
    while not there():
        assert process.poll() is None, "the run ended before"
        time.sleep(0.002)


def wait_for_step(folder: Path, process: subprocess.Popen[bytes], step: int) -> None:
    state = folder / "checkpoint" / "state.json"
    while process.poll() is None:
        try:
            if json.loads(state.read_text())["step"] >= step:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.002)


def kill_at(folder: Path, steps: Iterable[int]) -> None:
    """Start the run and `kill -9` it once it has got to the first step; then again for the next."""
    for step in steps:
        process = start(folder)
        wait_for_step(folder, process, step)
        assert process.poll() is None, f"the run ended before step {step}: nothing was killed"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
