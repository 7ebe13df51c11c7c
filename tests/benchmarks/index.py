"""How long the search index takes: dense search by size beside plain numpy, and one more document in a large index.

Vectors are made up, of the encoder's 384 dimensions and length 1, around a thousand subjects. Each size is searched
exactly, as right after an import, and by short codes, as soon as an idle worker has made them, with the share that is
then found of the exact best.
`python -m tests.benchmarks.index [PASSAGES...]`, by default 10,000, 100,000 and 1,000,000 (about 4 GB of memory).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa.index import CollectionIndex, IndexedDocument
from qa.passages import Passage
from qa.quickening import give_codes

DIMENSION = 384
SIZES = (10_000, 100_000, 1_000_000)
K = 20
SEARCHES = 50
DOCUMENT = 50_000
"""Passages of each document that a large index is filled with."""
ADDED = 20
"""Passages of the document that is added, about 15 pages; and how often one is."""

SUBJECTS, SPREAD = 1000, 1.3
_random = np.random.default_rng(0)
_subjects = _random.standard_normal((SUBJECTS, DIMENSION), dtype=np.float32)
QUICK = {"sizes": (10_000,)}


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Prints the tables; the figures, times in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="wenda-bench-") as folder:
        searches = {size: _searched(Path(folder) / str(size), size) for size in sizes}
        added = _added(Path(folder) / "added")
    _print(searches, added)
    return {"search_ms": searches, "add_document_ms": added}


def _searched(folder: Path, size: int) -> dict[str, dict[str, float]]:
    """One search for the K best, by the index as the site asks it and by numpy over the same vectors."""
    index, parts = _filled(folder, size)
    queries = _vectors(SEARCHES)
    expected, found = _numpy_search(parts, queries[0]), index.dense(queries[0], K)
    assert [i for i, _ in found] == expected, "the index and numpy disagree"
    exactly = _percentiles(lambda query: index.dense(query, K), queries)
    begun = time.perf_counter()
    while give_codes(index):
        pass
    built = time.perf_counter() - begun
    by_codes = _percentiles(lambda query: index.dense(query, K), queries)
    shares = [np.isin(_numpy_search(parts, query), [i for i, _ in index.dense(query, K)]).mean() for query in queries]
    return {
        "exact": exactly, "codes": {**by_codes, "recall": float(np.mean(shares)), "built_seconds": built},
        "numpy": _percentiles(lambda query: _numpy_search(parts, query), queries),
    }


def _added(folder: Path) -> dict[str, float]:
    """One small document until a search finds it: added to an index of 50,000 passages, and to an empty one."""
    full, _ = _filled(folder / "full", 50_000)
    empty = CollectionIndex.create(folder / "empty")
    return {**_prefixed("50,000 passages", _adding(full)), **_prefixed("empty", _adding(empty))}


def _adding(index: CollectionIndex) -> dict[str, float]:
    times = []
    for number in range(ADDED):
        vectors = _vectors(ADDED)
        index.dense(vectors[0], 1)  # what is there is in memory, as on a site that is in use
        begun = time.perf_counter()
        _publish(index, f"new {number}", vectors)
        (nearest,) = index.dense(vectors[0], 1)
        times.append(time.perf_counter() - begun)
        assert nearest[1] > 0.999, "the new document was not found"
    return _summary(times)


def _filled(folder: Path, size: int) -> tuple[CollectionIndex, list[np.ndarray]]:
    index, parts = CollectionIndex.create(folder), []
    for first in range(0, size, DOCUMENT):
        parts.append(_vectors(min(DOCUMENT, size - first)))
        _publish(index, f"document {first}", parts[-1])
    return index, parts


def _publish(index: CollectionIndex, name: str, vectors: np.ndarray) -> None:
    text = "".join(f"{i:07d} " for i in range(len(vectors)))
    passages = [Passage(8 * i, 8 * i + 7) for i in range(len(vectors))]
    index.publish(IndexedDocument(name, name, "text/plain"), text, passages, vectors)


def _vectors(count: int) -> np.ndarray:
    vectors = SPREAD * _random.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors += _subjects[_random.integers(SUBJECTS, size=count)]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _numpy_search(parts: Sequence[np.ndarray], query: np.ndarray) -> list[int]:
    """The K best passage ids, which count from 1, by a matrix product and a partial sort."""
    scores = np.concatenate([part @ query for part in parts])
    best = np.argpartition(-scores, K)[:K]
    return [int(i) + 1 for i in best[np.argsort(-scores[best])]]


def _percentiles(search: Callable[[np.ndarray], Any], queries: np.ndarray) -> dict[str, float]:
    search(queries[0])
    times = []
    for query in queries:
        begun = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - begun)
    return _summary(times)


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    return {"p50": 1000 * float(np.percentile(seconds, 50)), "p95": 1000 * float(np.percentile(seconds, 95))}


def _prefixed(name: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{name} {key}": value for key, value in figures.items()}


def _print(searches: dict[int, dict[str, dict[str, float]]], added: dict[str, float]) -> None:
    print(f"Dense search for the {K} best, milliseconds ({SEARCHES} searches, {DIMENSION} dimensions)")
    print(f"{'passages':>10}  {'codes p50':>9}  {'p95':>8}  {'recall':>8}  {'built, s':>8}  {'exact p50':>9}  "
          f"{'p95':>8}  {'numpy p50':>9}  {'p95':>8}")
    for size, found in searches.items():
        codes, exact, numpy = found["codes"], found["exact"], found["numpy"]
        print(f"{size:>10,}  {codes['p50']:>9.2f}  {codes['p95']:>8.2f}  {codes['recall']:>8.4f}  "
              f"{codes['built_seconds']:>8.1f}  {exact['p50']:>9.2f}  {exact['p95']:>8.2f}  {numpy['p50']:>9.2f}  "
              f"{numpy['p95']:>8.2f}")
    print(f"\nA document of {ADDED} passages published and found, milliseconds ({ADDED} times)")
    for name, value in added.items():
        print(f"{name:>20}  {value:>8.1f}")


if __name__ == "__main__":
    run([int(size) for size in sys.argv[1:]] or SIZES)
