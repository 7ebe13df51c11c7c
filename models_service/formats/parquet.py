"""A Parquet file's rows as JSON Lines, read by a process of its own within limits of time and memory.

Parquet packs its columns, so that a few bytes may claim to be gigabytes, and its reader is a large library of C++;
whatever a hostile file does to it, it does to the child, `python -m models_service.formats.parquet MOST_BYTES`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from models_service.sealed.keys import without_keys

MAGIC = b"PAR1"
MEMORY_BYTES = 3 * 1024**3
"""Of address space."""
CPU_SECONDS, WALL_SECONDS = 60, 180
ROWS_AT_ONCE = 256
SMALL = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
"""Libraries that are not to reserve address space for every core of the machine."""
_REFUSED = 3
"""The child's exit status when it says on its standard error, in JSON, why the file is of no use."""


class BadParquet(ValueError):
    """`code` is "bad_parquet" or "too_large"; the message says why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def lines_of(data: bytes, most_bytes: int) -> bytes:
    """One JSON object a row; empty cells are left out.

    Args:
        most_bytes: of what is returned.

    Raises:
        BadParquet: the file is damaged, larger than that when it is unpacked, or too hard to read.
    """
    command = [sys.executable, "-m", "models_service.formats.parquet", str(most_bytes)]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WALL_SECONDS, check=False,
            cwd=Path(__file__).parents[2], env={**without_keys(os.environ), **SMALL},
        )
    except subprocess.TimeoutExpired:
        raise BadParquet("too_large", "it takes too long to read") from None
    if done.returncode == _REFUSED:
        raise BadParquet(**json.loads(done.stderr.splitlines()[-1]))
    if done.returncode < 0 or b"MemoryError" in done.stderr:  # its limits, or a reader that crashed
        raise BadParquet("too_large", "it takes more time or memory to read than it may")
    if done.returncode:
        raise RuntimeError(f"reading a Parquet file failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def main(most_bytes: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pyarrow
    from pyarrow import parquet

    try:
        _write(parquet.ParquetFile(pyarrow.BufferReader(sys.stdin.buffer.read())), most_bytes)
    except BadParquet as bad:
        return _refuse(bad.code, str(bad))
    except (MemoryError, pyarrow.ArrowMemoryError):
        return _refuse("too_large", "it takes more memory to read than it may")
    except (pyarrow.ArrowException, OSError, TypeError, ValueError) as problem:
        return _refuse("bad_parquet", str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__)
    return 0


def _write(file: Any, most_bytes: int) -> None:
    written = 0
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, use_threads=False):
        for row in batch.to_pylist():
            told = {name: value for name, value in row.items() if value is not None}
            line = json.dumps(told, ensure_ascii=False, default=_plain).encode("utf-8", "surrogatepass") + b"\n"
            written += len(line)
            if written > most_bytes:
                raise BadParquet("too_large", f"more than {most_bytes:,} bytes when it is unpacked")
            sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _plain(value: Any) -> str:
    """A date or a decimal as people write it."""
    if isinstance(value, bytes):
        raise TypeError("a column holds bytes; save it as text")
    return str(value)


def _refuse(code: str, why: str) -> int:
    sys.stderr.write(json.dumps({"code": code, "why": why}) + "\n")
    return _REFUSED


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
