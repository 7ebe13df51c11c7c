"""A large segment that is searched by short codes first: FAISS' product quantization, four bits for two dimensions.

All codes are looked at, a sixteenth of what the vectors take in float32, in the processor's registers (André et al.
2017, which FAISS calls fast scan). Of the best by their codes several times as many as are wanted are then compared
exactly. How many times is measured on the segment itself: as few as find LEAST_RECALL of what an exact search finds.

Of 58,356 real passages and sentences (SQuADShifts, QAMR, Tatoeba) it found 99.87 % of the best 20 for 2,495 questions
of SQuADShifts, in 0.49 ms of one thread against 9.3 ms of an exact search, after 5 s of building. A graph of them
(HNSW of 16 links, 23 s of building) found 97.8 % in 0.54 ms and 99.0 % in 0.99 ms. On 32,768 of them FAISS' inverted
lists had to look into a third of all lists for 98.8 %.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np

FROM = 8_192
"""Below this many vectors an exact search takes about a millisecond."""
LEAST_RECALL = 0.985
"""Of the best K, on probes; what is promised is 0.98."""
K = 20
PROBES = 256
PROBE_COSINE = 0.6
"""Between a probe and the vector that it is made of: so far lie questions from the passages that answer them."""
FACTORS = (4, 8, 16, 32)
"""How many times as many as wanted are compared exactly."""
CODES = 16
"""For two dimensions, in four bits."""
BYTES_OF_A_NUMBER = 0.25
LEARNED_FROM = 20_000
"""Vectors."""
_log = logging.getLogger(__name__)


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS computes in one thread. It would wake the others also for its small loops, and they wait for each other:
    on busy processors a search took five times as long, and building codes a minute instead of seconds."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


@one_thread()
def built(ids: np.ndarray, vectors: np.ndarray) -> faiss.IndexIDMap | None:
    """The vectors, float32 (n, dimension) of L2 norm 1, with codes; None where an exact search is to stay."""
    began = time.monotonic()
    count, dimension = vectors.shape
    if dimension % 2 or count < CODES:
        return None
    random = np.random.default_rng(0)
    codes = faiss.IndexPQFastScan(dimension, dimension // 2, 4, faiss.METRIC_INNER_PRODUCT)
    codes.train(vectors[random.choice(count, min(count, LEARNED_FROM), replace=False)])
    below = faiss.IndexRefineFlat(codes)
    index = faiss.IndexIDMap(below)
    for outer, inner in ((below, codes), (index, below)):
        outer.own_fields = True
        inner.this.disown()
    index.add_with_ids(vectors, np.ascontiguousarray(ids, np.int64))
    probes = _probes(vectors, random)
    expected = ids[faiss.knn(probes, vectors, min(K, count), metric=faiss.METRIC_INNER_PRODUCT)[1]]
    for factor in FACTORS:
        below.k_factor = factor
        recall = _recall(expected, index.search(probes, min(K, count))[1])
        if recall >= LEAST_RECALL:
            _log.info("%s vectors have short codes; %s times as many as wanted are compared exactly: recall %.4f, "
                      "after %.1f s", count, factor, recall, time.monotonic() - began)
            return index
    _log.info("%s vectors stay in an exact search: by codes %.3f would be found", count, recall)
    return None


def refined(index: faiss.Index) -> faiss.IndexRefine | None:
    """What lies below the ids of an index that has codes; None for another one."""
    below = faiss.downcast_index(index.index)
    return below if isinstance(below, faiss.IndexRefine) else None


def exact(index: faiss.IndexIDMap) -> faiss.IndexFlat:
    """The vectors themselves, in the order of the ids."""
    below = refined(index)
    return faiss.downcast_index(below.refine_index if below else index.index)


def _probes(vectors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Vectors beside some of those given, each in a direction of its own: float32 (PROBES, dimension) of norm 1."""
    chosen = vectors[random.choice(len(vectors), min(PROBES, len(vectors)), replace=False)]
    aside = vectors[random.choice(len(vectors), len(chosen))]
    aside = aside - (aside * chosen).sum(axis=1, keepdims=True) * chosen
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(PROBE_COSINE * chosen + (1 - PROBE_COSINE**2) ** 0.5 * aside, np.float32)


def _recall(expected: np.ndarray, found: np.ndarray) -> float:
    """The mean share of each row's expected ids that were found."""
    return float(np.mean([np.isin(wanted, row).mean() for wanted, row in zip(expected, found, strict=True)]))
