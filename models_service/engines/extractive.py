"""The extractive summarizer: the sentences of a text in, the most telling of them out.

An encoder gives a vector for each sentence, a small scorer says from these and from where a sentence stands how
likely it belongs into a summary, and `choosing.py` picks those that overlap little. What is said is never new.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from models_service.engines.base import Engine
from models_service.engines.choosing import choose
from models_service.engines.encoder import EncoderEngine
from models_service.engines.sentence_features import NAMES, features
from models_service.engines.summarizing import SENTENCES_CHOSEN, Document, Summary
from models_service.model_files import ModelUnusable, scorer_base
from models_service.words import count_words

WEIGHTS_FILE = "model.safetensors"


class ExtractiveEngine(Engine[str, list[int], np.ndarray, np.ndarray]):
    """Its inputs are sentences and its outputs their vectors, so that those of many texts share a batch; `choose`
    makes a summary of one text's."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.batch_tokens = 0
        self._directory = directory
        self._encoder: EncoderEngine
        self._layers: list[tuple[np.ndarray, np.ndarray]] = []

    def load(self) -> None:
        base = scorer_base(self._directory)
        if base is None:
            raise ModelUnusable(f"{self._directory} holds no sentence scorer.")
        wanted = json.loads((self._directory / "config.json").read_text())["features"]
        if tuple(wanted) != NAMES:
            raise ModelUnusable(f"{self._directory} was trained for features that this version does not compute.")
        self._layers = read_layers(self._directory / WEIGHTS_FILE)
        self._encoder = EncoderEngine(self.name, Path(base))
        self._encoder.load()
        self.batch_tokens = self._encoder.batch_tokens

    def warm(self) -> None:
        self._encoder.warm()

    def split(self, inputs: Sequence[str]) -> list[list[list[int]]]:
        return self._encoder.split(inputs)

    def cost(self, piece: list[int]) -> int:
        return self._encoder.cost(piece)

    def compute(self, pieces: Sequence[list[int]]) -> list[np.ndarray]:
        return self._encoder.compute(pieces)

    def join(self, given: str, results: Sequence[np.ndarray]) -> np.ndarray:
        return self._encoder.join(given, results)

    def choose(self, document: Document, vectors: np.ndarray) -> Summary:
        """The summary of a text from its sentences' vectors; from any thread."""
        lengths = [count_words(sentence) for sentence in document.sentences]
        scores = self._score(features(document.sentences, vectors, lengths))
        most = document.sentences_wanted or (len(lengths) if document.words else SENTENCES_CHOSEN)
        chosen = choose(scores, vectors, lengths, words=document.words, most=most)
        return Summary(tuple(chosen), tuple(round(float(score), 4) for score in scores))

    def summarize(self, documents: Sequence[Document]) -> list[Summary]:
        """All of it, here and now, for one caller."""
        vectors = iter(self.run([sentence for document in documents for sentence in document.sentences]))
        return [
            self.choose(document, np.stack([next(vectors) for _ in document.sentences])) for document in documents
        ]

    def close(self) -> None:
        self._encoder.close()

    def _score(self, rows: np.ndarray) -> np.ndarray:
        for weight, bias in self._layers[:-1]:
            rows = np.maximum(rows @ weight.T + bias, 0)
        weight, bias = self._layers[-1]
        return 1 / (1 + np.exp(-(rows @ weight.T + bias)[:, 0]))


def read_layers(file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of each linear layer, first to last. Raises ModelUnusable."""
    tensors = load_file(file)
    layers = []
    while f"{len(layers)}.weight" in tensors:
        number = len(layers)
        layers.append((tensors[f"{number}.weight"].astype(np.float32), tensors[f"{number}.bias"].astype(np.float32)))
    if not layers:
        raise ModelUnusable(f"{file} holds no layers of a sentence scorer.")
    return layers
