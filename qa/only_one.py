"""A lock that nobody waits for: whoever finds it taken is told so. The system frees it when its holder is killed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(lock_file: Path) -> Iterator[bool]:
    """Whether the lock is ours until the block ends. Raises FileNotFoundError when its folder is not there."""
    with lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
