"""The encoder engine: a text in, one vector of L2 norm 1 out, as sentence-transformers would compute it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from models_service.engines.base import Engine, like_sized
from models_service.engines.forms import Body, Choice
from models_service.engines.lengths import longest_input
from models_service.engines.padding import padded
from models_service.engines.precision import device
from models_service.model_files import Form, ModelUnusable

PROBE = (
    "When was the bridge opened?",
    "The bridge over the strait was opened to traffic in October 1973, fifty years after the republic was founded.",
    "桥是什么时候开通的？",
)
WORK = [" ".join(PROBE[1:2] * 5)] * 8
"""Passages of the usual length, about 130 tokens."""


class EncoderEngine(Engine[str, list[int], np.ndarray, np.ndarray]):
    """Any `AutoModel` whose directory asks for mean or first-token pooling."""

    def __init__(self, name: str, directory: Path, choice: Choice | None = None) -> None:
        self.name = name
        self._directory = directory
        self._choice = choice or Choice()
        self._body: Body
        self._model: torch.nn.Module
        self._tokenizer: PreTrainedTokenizerBase
        self._takes_types = False
        self._first_token = False
        self.batch_tokens = 0

    @property
    def form(self) -> Form:
        """What it computes in."""
        return self._body.form

    def load(self) -> None:
        where = device()
        self.batch_tokens = 4096 if where.type == "cpu" else 65536
        self._first_token = pools_first_token(self._directory)
        self._tokenizer = AutoTokenizer.from_pretrained(self._directory)
        self._model = AutoModel.from_pretrained(self._directory, use_safetensors=True, dtype=torch.float32)
        self._model.to(where).eval().requires_grad_(False)
        longest = _longest_told(self._directory) or longest_input(self._model, self._tokenizer)
        self._tokenizer.model_max_length = longest
        self._takes_types = getattr(self._model.config, "type_vocab_size", 0) > 1
        self._body = Body(self.name, self._model, self._tokenizer)
        self._body.settle(
            self._choice, [self._directory], lambda: np.stack(self.run(PROBE)), lambda: self.run(WORK)
        )

    def warm(self) -> None:
        self.run(PROBE)

    def split(self, inputs: Sequence[str]) -> list[list[list[int]]]:
        encoded = self._tokenizer(
            list(inputs), truncation=True, return_attention_mask=False, return_token_type_ids=False
        )
        return [[ids] for ids in encoded["input_ids"]]

    def cost(self, piece: list[int]) -> int:
        return len(piece)

    def compute(self, pieces: Sequence[list[int]]) -> list[np.ndarray]:
        vectors: list[np.ndarray] = [np.empty(0)] * len(pieces)
        for batch in like_sized(pieces, len, self.batch_tokens):
            for index, vector in zip(batch, self._encode([pieces[i] for i in batch]), strict=True):
                vectors[index] = vector
        return vectors

    def join(self, given: str, results: Sequence[np.ndarray]) -> np.ndarray:
        return results[0]

    def close(self) -> None:
        del self._model, self._body

    @torch.inference_mode()
    def _encode(self, texts: Sequence[list[int]]) -> np.ndarray:
        """Texts of like length, longest first."""
        mask = torch.zeros(len(texts), len(texts[0]), dtype=torch.int64)
        for row, tokens in enumerate(texts):
            mask[row, : len(tokens)] = 1
        states = self._body.int8_states(texts)
        if states is None:
            states = self._states(texts)
        if self._first_token:
            pooled = states[:, 0]
        else:
            weights = mask.to(states.device).unsqueeze(-1).to(states.dtype)
            pooled = (states * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()

    def _states(self, texts: Sequence[list[int]]) -> torch.Tensor:
        inputs = padded(
            texts, [[0] * len(ids) for ids in texts] if self._takes_types else None,
            most=self._tokenizer.model_max_length, pad_id=self._tokenizer.pad_token_id, where=self._model.device,
        )
        return self._model(**inputs).last_hidden_state[:, : len(texts[0])].float()


def _longest_told(directory: Path) -> int:
    """Tokens, as sentence-transformers' directory says; 0 when it is silent."""
    file = directory / "sentence_bert_config.json"
    return int(file.is_file() and json.loads(file.read_text()).get("max_seq_length") or 0)


def pools_first_token(directory: Path) -> bool:
    """How sentence-transformers' directory says that token states become one vector; the mean when it is silent."""
    file = directory / "1_Pooling" / "config.json"
    if not file.is_file():
        return False
    modes = {name for name, value in json.loads(file.read_text()).items() if value is True}
    if "pooling_mode_cls_token" in modes:
        return True
    if "pooling_mode_mean_tokens" in modes:
        return False
    raise ModelUnusable(f"{directory} pools by {', '.join(sorted(modes)) or 'nothing'}; known are mean and first.")
