"""`make bench`: every part of it can be begun, for nothing else runs it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from tests import benchmarks

NAMES = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported_and_takes_the_arguments_of_its_quick_form(name: str) -> None:
    benchmark = importlib.import_module(f"tests.benchmarks.{name}")
    inspect.signature(benchmark.run).bind(**benchmark.QUICK)
