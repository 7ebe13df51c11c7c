"""The names of leases, by which a row says which process works on it, and whether that process still lives."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from contextlib import suppress

import psutil


def new_lease() -> str:
    """A lease of this process; no two are the same."""
    return f"{this_machine()}:{os.getpid()}:{_start_of(os.getpid())}:{uuid.uuid4().hex[:16]}"


def this_machine() -> str:
    """This machine, or this container: process ids mean something only within it."""
    names = [socket.gethostname()]
    with suppress(OSError):
        names.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]


def is_of_the_dead(lease: str) -> bool:
    """Whether the lease is of a process of this machine that lives no longer; others run out by themselves."""
    machine, pid, started, _token = lease.split(":")
    return machine == this_machine() and _start_of(int(pid)) != started


def _start_of(pid: int) -> str:
    """When the process started, so that a process id used again is not taken for it; "" when there is none."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.1f}"
    return ""
