"""`python -m tests.benchmarks [NAME...] [--quick] [--json]`: run each benchmark, or those named.

A benchmark is a module of this package with a function `run() -> dict` that prints its own table. Its `rows`, where
it has some, are put into one table at the end: what was measured, our figure, the other's name and figure. With
`--quick` each runs with its `QUICK` arguments: enough to see that it works, too little for figures. With `--json` the
tables go to standard error and one JSON object, a key a benchmark, to standard output.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from contextlib import redirect_stdout

from tests import benchmarks
from webapp.ops.command_line import table


def main() -> None:
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name[0] != "_")
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}; all of them when none")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="as little as shows that it works; not for figures")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in names]
    if unknown:
        parser.error(f"There is no benchmark {unknown[0]}; there are: {', '.join(names)}.")
    figures = {}
    for name in arguments.names or names:
        with redirect_stdout(sys.stderr if arguments.json else sys.stdout):
            benchmark = importlib.import_module(f"tests.benchmarks.{name}")
            figures[name] = benchmark.run(**getattr(benchmark, "QUICK", {}) if arguments.quick else {})
            print(flush=True)
    rows = [row for one in figures.values() for row in one.get("rows", ())]
    if rows and not arguments.json:
        print("\n".join(table([("what", "ours", "the other", "times", "the other is"), *map(_told, rows)])))
    if arguments.json:
        print(json.dumps(figures, indent=2))


def _told(row: tuple[str, float, str, float]) -> tuple[str, str, str, str, str]:
    what, ours, other, theirs = row
    return what, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}", other


if __name__ == "__main__":
    main()
