"""What a sentence scorer looks at: how central a sentence is, where it stands, how long it is, whether it is one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

NAMES = ("centroid", "whole", "words", "early")
_ENDS = re.compile(r"[.!?…。！？:：;；][\"'”’」』）)\]】》*_]*(?:\[\d{1,3}\])*\s*$")


def features(sentences: Sequence[str], vectors: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """One row a sentence, one column a name in NAMES."""
    centre = vectors.mean(axis=0)
    centre /= max(float(np.linalg.norm(centre)), 1e-6)
    count = len(sentences)
    return np.stack([
        vectors @ centre,
        np.array([_ENDS.search(sentence) is not None for sentence in sentences], dtype=np.float32),
        np.minimum(np.asarray(lengths, dtype=np.float32), 20) / 20,
        1 / (1 + np.arange(count, dtype=np.float32)),
    ], axis=1).astype(np.float32)
