"""The network that ranks stretches: several small ones of one layer, whose words are averaged. Numpy alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

WEIGHTS = Path(__file__).parent / "weights.safetensors"


class Network:
    """`weights` holds mean and deviation of the features, and first, first_bias, last of each network, stacked."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights

    def scores(self, features: np.ndarray) -> np.ndarray:
        """The more, the likelier: float32 (stretches,) of float32 (stretches, features)."""
        own = self.weights
        scaled = (features - own["mean"]) / own["deviation"]
        hidden = np.maximum(np.einsum("sf,nhf->nsh", scaled, own["first"]) + own["first_bias"][:, None], 0)
        raw = np.einsum("nsh,nh->ns", hidden, own["last"])
        shares = np.exp(raw - raw.max(axis=1, keepdims=True))
        return (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)


@cache
def network() -> Network:
    return Network(load_file(WEIGHTS))
