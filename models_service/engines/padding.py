"""Token sequences of like length as one batch that a model of the BERT family reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

STEP = 16
"""Tokens. Lengths go up by so many: the math libraries keep what they make for every shape that they meet, so that
with any length whatever a service's memory would grow for hours."""


def padded(
    ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None, *, most: int, pad_id: int | None,
    where: torch.device,
) -> dict[str, torch.Tensor]:
    """Padded on the right, a row a sequence: ids, attention mask and, where they are given, types.

    Args:
        types: an entry a token, which tells a pair's first text from its second.
        most: how many tokens the model reads at once.
    """
    longest = max(map(len, ids))
    shape = len(ids), max(longest, min(STEP * -(-longest // STEP), most))
    inputs = {"input_ids": np.full(shape, pad_id or 0, np.int64), "attention_mask": np.zeros(shape, np.int64)}
    if types is not None:
        inputs["token_type_ids"] = np.zeros(shape, np.int64)
    for row, own in enumerate(ids):
        inputs["input_ids"][row, : len(own)] = own
        inputs["attention_mask"][row, : len(own)] = 1
        if types is not None:
            inputs["token_type_ids"][row, : len(own)] = types[row]
    return {name: torch.from_numpy(values).to(where) for name, values in inputs.items()}
