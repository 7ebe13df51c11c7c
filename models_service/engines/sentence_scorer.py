"""How much each sentence of a text is worth in a summary: what was learnt of short texts, centrality in long ones.

The learned part is a small network over a sentence's vector, that vector times the text's centre, and features. It
has seen only texts as long as those it was trained on, and in longer ones counting words is better, so from `full`
to `none` sentences its word gives way to centrality.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file

from models_service.engines.sentence_features import NAMES, look, standard
from models_service.model_files import SCORER, ModelUnusable

WEIGHTS_FILE = "model.safetensors"
NO_SENTENCE = 10.0
"""What a heading loses, in standard deviations: it is chosen only where there is nothing else."""
VECTOR_SCALE, PRODUCT_SCALE = 10.0, 100.0
"""Numbers of a unit vector of some hundred dimensions, and products of two, made about as large as the features."""


class ScorerConfig(BaseModel):
    """config.json. `full` and `none` are numbers of sentences, see above."""

    architectures: list[str] = [SCORER]
    encoder: str
    features: list[str] = list(NAMES)
    full: int
    none: int


@dataclass(frozen=True)
class SentenceScorer:
    config: ScorerConfig
    weights: dict[str, np.ndarray]

    def score(self, sentences: Sequence[str], vectors: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
        """One value a sentence, in standard deviations of the text's."""
        looked = look(sentences, vectors, lengths)
        reach = max(self.config.none - self.config.full, 1)
        share = min(max((self.config.none - int(looked.whole.sum())) / reach, 0.0), 1.0)
        values = (1 - share) * looked.centrality
        if share:
            values = values + share * standard(self.learned(looked.features, vectors))
        return values - NO_SENTENCE * ~looked.whole

    def learned(self, features: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """The network's outputs; its twin that is trained is in `training/summarize.py`."""
        w = self.weights
        seen = np.tanh(vector_inputs(vectors) @ w["look.weight"].T + w["look.bias"])
        inner = np.maximum(np.concatenate([features, seen], axis=1) @ w["inner.weight"].T + w["inner.bias"], 0)
        return (inner @ w["outer.weight"].T + features @ w["straight.weight"].T)[:, 0]


def vector_inputs(vectors: np.ndarray) -> np.ndarray:
    """A sentence's vector, and how each of its dimensions goes with the text's centre."""
    centre = vectors.mean(axis=0)
    centre = centre / max(float(np.linalg.norm(centre)), 1e-6)
    return np.concatenate([VECTOR_SCALE * vectors, PRODUCT_SCALE * vectors * centre], axis=1)


def read_scorer(folder: Path) -> SentenceScorer:
    """Raises ModelUnusable."""
    try:
        config = ScorerConfig.model_validate(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        weights = {name: tensor.astype(np.float32) for name, tensor in load_file(folder / WEIGHTS_FILE).items()}
    except (OSError, ValueError, ValidationError, SafetensorError) as problem:
        raise ModelUnusable(f"{folder} holds no sentence scorer that can be read: {problem}") from None
    if tuple(config.features) != NAMES:
        raise ModelUnusable(f"{folder} was trained for features that this version does not compute: train it anew.")
    expected = {"look.weight", "look.bias", "inner.weight", "inner.bias", "outer.weight", "straight.weight"}
    if weights.keys() != expected:
        raise ModelUnusable(f"{folder / WEIGHTS_FILE} does not hold the weights of a sentence scorer.")
    return SentenceScorer(config, weights)
