"""A large segment that is searched without looking at all of its vectors: FAISS' inverted lists.

Its vectors stand in lists, each around a centroid of k-means, and a search looks into the lists nearest to the query.
Into how many is measured on the segment itself: as few as find LEAST_RECALL of what an exact search finds. Where that
would be a large share of the lists, as for vectors without any order among them, exact search stays.
"""

from __future__ import annotations

import logging
import time

import faiss
import numpy as np

FROM = 32_768
"""Below this many vectors an exact search takes two milliseconds and less."""
LEAST_RECALL = 0.985
"""Of the best K, on probes; what is promised is 0.98."""
K = 20
PROBES = 256
PROBE_COSINE = 0.6
"""Between a probe and the vector that it is made of: so far lie questions from the passages that answer them."""
LISTS_PER_ROOT = 4
MOST_SEEN = 0.25
"""Of the lists. Beyond it the gain is not worth the loss."""
ROUNDS = 10
PER_CENTROID = 64
"""Vectors that k-means learns a centroid from."""
_log = logging.getLogger(__name__)


def built(ids: np.ndarray, vectors: np.ndarray) -> faiss.IndexIVFFlat | None:
    """The vectors, float32 (n, dimension) of L2 norm 1, in lists; None where exact search is to stay."""
    began = time.monotonic()
    count, dimension = vectors.shape
    lists = min(round(LISTS_PER_ROOT * count**0.5), count)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.spherical = ROUNDS, PER_CENTROID, True
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add_with_ids(vectors, ids)
    probes = _probes(vectors)
    expected = _exact(ids, vectors, probes)
    seen, recall = 1, 0.0
    while seen <= max(MOST_SEEN * lists, 1):
        index.nprobe = seen
        recall = _recall(expected, index.search(probes, K)[1])
        if recall >= LEAST_RECALL:
            _log.info("%s vectors in %s lists, of which %s are looked into: recall %.3f, after %.1f s", count, lists,
                      seen, recall, time.monotonic() - began)
            return index
        seen *= 2
    _log.info("%s vectors stay in one list: a quarter of %s lists would find %.3f", count, lists, recall)
    return None


def _probes(vectors: np.ndarray) -> np.ndarray:
    """Vectors beside some of those given, each in a direction of its own: float32 (PROBES, dimension) of norm 1."""
    random = np.random.default_rng(0)
    chosen = vectors[random.choice(len(vectors), min(PROBES, len(vectors)), replace=False)]
    aside = vectors[random.choice(len(vectors), len(chosen))]
    aside = aside - (aside * chosen).sum(axis=1, keepdims=True) * chosen
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(PROBE_COSINE * chosen + (1 - PROBE_COSINE**2) ** 0.5 * aside, np.float32)


def _exact(ids: np.ndarray, vectors: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """(probes, K) ids of the nearest."""
    places = faiss.knn(probes, vectors, min(K, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)[1]
    return ids[places]


def _recall(expected: np.ndarray, found: np.ndarray) -> float:
    """The mean share of each row's expected ids that were found."""
    return float(np.mean([np.isin(wanted, row).mean() for wanted, row in zip(expected, found, strict=True)]))


def content(index: faiss.IndexIVFFlat) -> tuple[np.ndarray, np.ndarray]:
    """Its ids, int64 (n,), and vectors, float32 (n, dimension), list by list."""
    ids, vectors = [np.empty(0, np.int64)], [np.empty((0, index.d), np.float32)]
    for number in range(index.nlist):
        size = index.invlists.list_size(number)
        if size:
            ids.append(faiss.rev_swig_ptr(index.invlists.get_ids(number), size).copy())
            codes = faiss.rev_swig_ptr(index.invlists.get_codes(number), size * index.code_size)
            vectors.append(codes.copy().view(np.float32).reshape(size, index.d))
    return np.concatenate(ids), np.concatenate(vectors)
