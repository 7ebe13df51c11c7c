"""How many tokens a model of the BERT family sees at once."""

from __future__ import annotations

import torch
from transformers import PreTrainedTokenizerBase

LONGEST_INPUT = 512
"""Where the model's directory does not say."""


def longest_input(model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase) -> int:
    positions = getattr(model.config, "max_position_embeddings", LONGEST_INPUT)
    # Some count positions from behind the padding's, so that two of them are not to be had.
    room = positions - 2 if getattr(model.config, "model_type", "").endswith("roberta") else positions
    return min(tokenizer.model_max_length, room, LONGEST_INPUT)
