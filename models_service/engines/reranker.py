"""The reranker engine: a query and a passage in, one score out, read together by a cross-encoder.

A score is the model's own logit: higher is better, and only scores for the same query are comparable. It stays in
float32, for what it decides is an order of scores that are often close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from models_service.engines.base import Engine, like_sized
from models_service.engines.lengths import longest_input
from models_service.engines.padding import padded
from models_service.engines.pairs import Pair
from models_service.engines.precision import device
from models_service.model_files import ModelUnusable

PROBE = (Pair("When was the bridge opened?", "The bridge was opened in 1973."), Pair("Who?", "A tower of iron."))


@dataclass(frozen=True)
class Tokens:
    """A pair as the model sees it; the types tell the query's tokens from the passage's, where it asks for that."""

    input_ids: list[int]
    token_type_ids: list[int]


class RerankerEngine(Engine[Pair, Tokens, float, float]):
    """Any `AutoModelForSequenceClassification` with one label."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self._directory = directory
        self._model: torch.nn.Module
        self._tokenizer: PreTrainedTokenizerBase
        self._tells_types = False
        self.batch_tokens = 0

    def load(self) -> None:
        where = device()
        self.batch_tokens = 4096 if where.type == "cpu" else 65536
        self._tokenizer = AutoTokenizer.from_pretrained(self._directory)
        self._model = AutoModelForSequenceClassification.from_pretrained(
            self._directory, use_safetensors=True, dtype=torch.float32
        )
        labels = self._model.config.num_labels
        if labels != 1:
            raise ModelUnusable(f"{self.name} has {labels} labels; a reranker has one, which is its score.")
        self._model.to(where).eval().requires_grad_(False)
        self._tells_types = "token_type_ids" in self._tokenizer.model_input_names
        self._tokenizer.model_max_length = longest_input(self._model, self._tokenizer)

    def warm(self) -> None:
        self.run(PROBE)

    def split(self, inputs: Sequence[Pair]) -> list[list[Tokens]]:
        """A passage that is too long is cut: a reranker looks at what retrieval has cut already."""
        encoded = self._tokenizer(
            [pair.query for pair in inputs], [pair.passage for pair in inputs], truncation="longest_first",
            return_attention_mask=False, return_token_type_ids=self._tells_types,
        )
        types = encoded["token_type_ids"] if self._tells_types else [[0] * len(ids) for ids in encoded["input_ids"]]
        return [[Tokens(ids, kinds)] for ids, kinds in zip(encoded["input_ids"], types, strict=True)]

    def cost(self, piece: Tokens) -> int:
        return len(piece.input_ids)

    def compute(self, pieces: Sequence[Tokens]) -> list[float]:
        scores = [0.0] * len(pieces)
        for batch in like_sized(pieces, self.cost, self.batch_tokens):
            for index, score in zip(batch, self._score([pieces[i] for i in batch]), strict=True):
                scores[index] = float(score)
        return scores

    def join(self, given: Pair, results: Sequence[float]) -> float:
        return results[0]

    def close(self) -> None:
        del self._model

    @torch.inference_mode()
    def _score(self, pieces: Sequence[Tokens]) -> np.ndarray:
        """Of pairs of like length, longest first."""
        where = next(self._model.parameters()).device
        inputs = padded(
            [piece.input_ids for piece in pieces],
            [piece.token_type_ids for piece in pieces] if self._tells_types else None,
            most=self._tokenizer.model_max_length, pad_id=self._tokenizer.pad_token_id, where=where,
        )
        return self._model(**inputs).logits[:, 0].float().cpu().numpy()
