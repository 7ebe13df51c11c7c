"""Ask the knowledge graph in SPARQL, within limits of time, memory and size.

The query runs in a process of its own, `python -m qa.graph_sparql GRAPH ROWS SECONDS`, which is killed when it takes
too long; one that is nested deeply enough to crash the engine crashes that process alone. Where the system allows it
the process has no network.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from models_service.sealed.keys import without_keys
from qa.graph_query import Answers, BadQuery, Value, check

MOST_ROWS = 1_000
SECONDS = 10.0
MOST_RESULT_CHARACTERS = 8_000_000
MEMORY_BYTES = 3 * 1024**3
"""Of address space."""
_REFUSED = 3
"""The child's exit status when it answers why it does not."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def ask(graph: Path, sparql: str, *, most_rows: int = MOST_ROWS, seconds: float = SECONDS) -> Answers:
    """The rows of a query over the graph in this folder.

    Raises:
        BadQuery: as `qa.graph_query` says; also with the reasons "no_text", "nothing" (there is no graph yet),
            "too_slow", "too_hard" for one that needs too much memory or is nested too deeply, and "damaged".
    """
    check(sparql)
    command = [sys.executable, "-m", "qa.graph_sparql", str(graph.absolute()), str(most_rows), str(seconds)]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parents[1], input=sparql.encode(), capture_output=True,
                              timeout=seconds, check=False, env=without_keys(os.environ))
    except UnicodeEncodeError:
        raise BadQuery("no_text", "The query holds characters that are no text.") from None
    except subprocess.TimeoutExpired:
        raise BadQuery("too_slow", f"The query took more than {seconds:g} seconds.") from None
    if done.returncode == _REFUSED:
        raise BadQuery(**json.loads(done.stdout))
    if done.returncode:
        if done.returncode < 0 or b"MemoryError" in done.stderr:  # a signal: its limits, or a crash
            raise BadQuery("too_hard", "The query needs too much memory, or is nested too deeply.")
        raise RuntimeError(f"a query failed: {done.stderr.decode(errors='replace')[-2000:]}")
    told = json.loads(done.stdout)
    rows = tuple(tuple(value and Value(**value) for value in row) for row in told["rows"])
    return Answers(tuple(told["columns"]), rows, told["more"], told["truth"])


def _limit_itself(seconds: float) -> None:
    ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # where it is not allowed, nothing happens
    cpu = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _cut(answers: Answers) -> Answers:
    """No more rows than MOST_RESULT_CHARACTERS allow."""
    size = 0
    for number, row in enumerate(answers.rows):
        size += sum(len(value.text) for value in row if value)
        if size > MOST_RESULT_CHARACTERS:
            return replace(answers, rows=answers.rows[:number], more=True)
    return answers


def main(graph: Path, most_rows: int, seconds: float) -> int:
    _limit_itself(seconds)
    # After the limits: namespaces can only be left while there is one thread.
    from qa.graph import GraphDamaged, GraphStore

    told: dict[str, Any]
    try:
        opened = GraphStore(graph).open()
        if opened is None:
            raise BadQuery("nothing", "Nothing has been imported yet.")
        told = asdict(_cut(opened.select(sys.stdin.buffer.read().decode(), most_rows=most_rows)))
        status = 0
    except BadQuery as error:
        told = {"reason": error.reason, "message": str(error), "line": error.line, "column": error.column}
        status = _REFUSED
    except GraphDamaged as error:
        told, status = {"reason": "damaged", "message": str(error)}, _REFUSED
    print(json.dumps(told))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
